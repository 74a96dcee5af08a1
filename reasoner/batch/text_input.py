"""A descriptor's bytes as UTF-8 with "\\n" for line ends, whatever text Excel and others write.

Text in UTF-16 or UTF-32 is converted where it begins with a byte order mark. Files of other
formats are refused by name, in one line instead of an error for each of theirs.
"""

import codecs
import os
from collections.abc import Iterator

from reasoner.errors import UsageError

__all__ = ["UTF8_ENCODINGS", "TextInput"]

CHUNK_BYTES = 2**16
MARKS = (  # the mark of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
MAX_MARK_BYTES = 4
UTF8_ENCODINGS = ("utf-8", "utf-8-sig")
FOREIGN_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive; save the table as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the table as CSV in UTF-8"),
    (b"PAR1", "a Parquet file; write it as JSON Lines first"),
    (b"ARROW1", "an Arrow file; write it as JSON Lines first"),
    (b"\x1f\x8b", "compressed; try: zcat FILE | reasoner batch"),
    (b"\x28\xb5\x2f\xfd", "compressed; try: zstdcat FILE | reasoner batch"),
    (b"\xfd7zXZ", "compressed; try: xzcat FILE | reasoner batch"),
    (b"BZh", "compressed; try: bzcat FILE | reasoner batch"),
    (b"SQLite format 3\0", "a SQLite database; write its rows as JSON Lines first"),
    (b"GGUF", "a model file; give it with -m"),
    (b"%PDF", "a PDF; give text"),
)


class TextInput:
    """The text of a descriptor in pieces. `encoding` is the one that its first bytes indicate.

    The constructor reads these. It raises UsageError for another format and for UTF-16 without a
    byte order mark.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        head = self._read_head()
        self.encoding = next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")
        if self.encoding == "utf-8":
            _refuse_foreign(head)
        self._head = head
        self._pieces = self._converted()
        self._pushed_back: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._pushed_back.pop() if self._pushed_back else next(self._pieces)

    def peek_first_value(self) -> bytes:
        """The first two characters that matter for the format: of `[`, `{` and what follows it.

        Spaces are left out, line ends after the first character are not.
        """
        seen = b""
        while len(start := _without_spaces(seen)) < 2 and (piece := next(self, b"")):
            seen += piece
        self._pushed_back += [seen] if seen else []
        return start[:2]

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < MAX_MARK_BYTES and (chunk := os.read(self._descriptor, CHUNK_BYTES)):
            head += chunk
        return head

    def _chunks(self) -> Iterator[bytes]:
        yield self._head
        while chunk := os.read(self._descriptor, CHUNK_BYTES):
            yield chunk

    def _converted(self) -> Iterator[bytes]:
        """The pieces in UTF-8; lines that end in "\\r" alone end in "\\n"."""
        pieces = self._chunks() if self.encoding in UTF8_ENCODINGS else self._decoded()
        first = next(pieces, b"").removeprefix(codecs.BOM_UTF8)
        while first.endswith(b"\r") and (piece := next(pieces, b"")):
            first += piece
        returns_only = b"\r" in first and b"\n" not in first
        yield first.replace(b"\r", b"\n") if returns_only else first
        for piece in pieces:
            yield piece.replace(b"\r", b"\n") if returns_only else piece

    def _decoded(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="surrogateescape")
        for chunk in self._chunks():
            yield decoder.decode(chunk).encode(errors="surrogateescape")
        yield decoder.decode(b"", final=True).encode(errors="surrogateescape")


def _refuse_foreign(head: bytes) -> None:
    for start, description in FOREIGN_FORMATS:
        if head.startswith(start):
            raise UsageError(f"the input is {description}")
    if b"\0" in head[: 2 * MAX_MARK_BYTES]:
        raise UsageError("the input is UTF-16 or binary; save it as UTF-8 text")


def _without_spaces(text: bytes) -> bytes:
    """The text from its first character on, without the blanks after that."""
    text = text.lstrip()
    return text[:1] + text[1:].lstrip(b" \t\r")
