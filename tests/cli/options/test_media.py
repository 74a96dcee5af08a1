"""A picture or a sound given as a file is named for what it is."""

from pathlib import Path

import pytest

from reasoner.cli.options.question import read_text_file
from reasoner.errors import UsageError


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "an image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "an image"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a sound"),
        (b"\0\0\0\x20ftypisom\xff", "a video"),
        (b"\0\0\0\x20ftypavif\xff", "an image"),
    ],
)
def test_media_are_named(tmp_path: Path, data: bytes, kind: str) -> None:
    file = tmp_path / "given"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=f"given is {kind}, and this program reads text only"):
        read_text_file(file)


def test_text_that_begins_like_a_picture_is_text(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_text("BMW and GIF89a are names.")
    assert read_text_file(file) == "BMW and GIF89a are names."
