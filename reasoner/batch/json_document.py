"""A JSON document of several items: an array of objects, or objects over several lines each."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from reasoner.errors import UsageError

__all__ = ["DocumentValue", "parse_document"]

MAX_DOCUMENT_BYTES = 128 * 2**20
BLANKS = re.compile(r"[ \t\r\n]*")


class DocumentValue(NamedTuple):
    """A value of the document: the line that it begins on, its text, and itself or an error."""

    line: int
    text: str
    value: Any = None
    error: str | None = None


def parse_document(chunks: Iterable[bytes]) -> Iterator[DocumentValue]:
    """Yield the members of arrays and the values between them; after an error nothing more.

    Raises UsageError for a document that is too large to be held, or no UTF-8.
    """
    text = _joined(chunks)
    decoder = json.JSONDecoder()
    position = line = counted = 0
    inside = False
    while (position := _end_of_blanks(text, position)) < len(text):
        character = text[position]
        if character in "[]," and inside is (character != "["):
            inside = character != "]"
            position += 1
            continue
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield DocumentValue(line + 1, text[position : position + 100], error=_reason(error))
            return
        yield DocumentValue(line + 1, text[position:end], value)
        position = end
    if inside:
        yield DocumentValue(text.count("\n") + 1, "", error="the array has no end")


def _end_of_blanks(text: str, position: int) -> int:
    match = BLANKS.match(text, position)
    return match.end() if match else position


def _reason(error: Exception) -> str:
    return f"not JSON: {error}" if isinstance(error, ValueError) else "nested too deeply"


def _joined(chunks: Iterable[bytes]) -> str:
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise UsageError(
                f"a JSON document may have {MAX_DOCUMENT_BYTES // 2**20} MB; make it JSON Lines: "
                "jq -c '.[]' FILE | reasoner batch"
            )
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"the input is not UTF-8 text (byte {error.start})") from None
