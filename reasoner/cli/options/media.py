"""Recognises files of pictures and sounds, which no text can be read from."""

__all__ = ["media_kind"]

SIGNATURES = (
    (b"\x89PNG\r\n", 0, "an image"),
    (b"\xff\xd8\xff", 0, "an image"),
    (b"GIF8", 0, "an image"),
    (b"WEBP", 8, "an image"),
    (b"BM", 0, "an image"),
    (b"II*\0", 0, "an image"),
    (b"MM\0*", 0, "an image"),
    (b"ftypavif", 4, "an image"),
    (b"ftypheic", 4, "an image"),
    (b"WAVE", 8, "a sound"),
    (b"ID3", 0, "a sound"),
    (b"OggS", 0, "a sound"),
    (b"fLaC", 0, "a sound"),
    (b"AVI ", 8, "a video"),
    (b"\x1aE\xdf\xa3", 0, "a video"),
    (b"ftyp", 4, "a video"),
)
"""The bytes at a position by which kinds of binary files are known; the first that fits counts."""


def media_kind(data: bytes) -> str | None:
    """Return what the bytes of a binary file are, such as "an image"; None for any other kind."""
    kinds = (kind for mark, begin, kind in SIGNATURES if data.startswith(mark, begin))
    return next(kinds, None)
