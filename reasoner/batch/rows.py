"""Rows of JSON Lines, one object per line, and the names of their fields.

A line that cannot be used raises ValueError with a reason; later lines can still be read.
"""

import json
import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from reasoner.types.problem import join_text_parts

__all__ = [
    "FIELD_NAMES",
    "MAX_LINE_BYTES",
    "TOO_LONG",
    "Row",
    "as_row",
    "field_text",
    "field_value",
    "parse_row",
    "read_lines",
    "split_lines",
]

Row = dict[str, Any]
MAX_LINE_BYTES = 16 * 2**20
"""The maximum length of a line in bytes."""
TOO_LONG = f"longer than {MAX_LINE_BYTES // 2**20} MB"
CHUNK_BYTES = 2**16
FIELD_NAMES = {
    "id": ("id", "task_id"),
    "answer": ("answer", "pred"),
    "expect": ("expect", "gold"),
    "question": ("question", "prompt", "problem"),
    "system": ("system",),
    "tests": ("tests", "test"),
    "entry_point": ("entry_point",),
}
"""Fields, with the names that they have in public data sets."""


def read_lines(descriptor: int) -> Iterator[bytes]:
    """Yield the lines of a file descriptor without their line breaks; of a line above the maximum
    length only so much that it is still too long.

    A Python stream would not do: its lock, held during a blocking read, would keep the process from
    exiting.
    """
    yield from split_lines(iter(partial(os.read, descriptor, CHUNK_BYTES), b""))


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a text that comes in chunks, as `read_lines` does, in linear time."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield b"".join([*parts, line]) if parts else line
            parts, size = [], 0
        if rest and size <= MAX_LINE_BYTES:
            parts.append(rest)
            size += len(rest)
    yield b"".join(parts)


def parse_row(line: bytes) -> Row:
    """Parse a line as a JSON object. Raises ValueError with a reason."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(TOO_LONG)
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    return as_row(row)


def as_row(value: Any) -> Row:
    """Return a JSON value that is an object. Raises ValueError for another one."""
    if not isinstance(value, dict):
        raise ValueError(f"a {type(value).__name__}, not an object")
    return value


def field_value(row: Row, field: str) -> Any:
    """The value of a field, under any of its names; None when it is absent."""
    names = FIELD_NAMES.get(field, (field,))
    return next((row[name] for name in names if row.get(name) is not None), None)


def field_text(row: Row, field: str) -> str | None:
    """The text of a field, under any of its names; None when it is absent. A number is converted.
    A list of parts of text is joined. Raises ValueError for other types."""
    value = join_text_parts(field_value(row, field))
    if isinstance(value, str):  # JSON may have lone surrogates, which cannot be encoded
        return value.encode(errors="replace").decode()
    if value is None:
        return None
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"{field} is a {type(value).__name__}, not text")
