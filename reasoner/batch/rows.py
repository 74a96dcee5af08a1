"""Rows of JSON Lines: one object a line, and what its fields are called.

A line that cannot be used raises ValueError with a reason; what comes after it can still be read.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

__all__ = ["LARGEST", "NAMES", "Row", "read_lines", "read_row", "text_of"]

Row = dict[str, Any]
LARGEST = 16 * 2**20
"""Bytes of one line."""
CHUNK = 2**16
NAMES = {
    "id": ("id", "task_id"),
    "answer": ("answer", "pred"),
    "expect": ("expect", "gold"),
    "question": ("question", "prompt", "problem"),
    "system": ("system",),
    "tests": ("tests", "test"),
    "entry_point": ("entry_point",),
}
"""Fields, with the names that other people's data sets have for them."""


def read_lines(descriptor: int) -> Iterator[bytes]:
    """Line by line; of one that is too long only so much that it is seen to be.

    From the descriptor, because the lock of a stream that is being read would keep us from
    leaving.
    """
    rest = b""
    while chunk := os.read(descriptor, CHUNK):
        *whole, rest = (rest[: LARGEST + 1] + chunk).split(b"\n")
        yield from whole
    yield rest


def read_row(line: bytes) -> Row:
    """The object that a line holds. Raises ValueError with a reason."""
    if len(line) > LARGEST:
        raise ValueError(f"longer than {LARGEST // 2**20} MB")
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__}, not an object")
    return row


def text_of(row: Row, field: str) -> str | None:
    """A field as text, under any of its names; a number will do. Raises ValueError."""
    names = NAMES.get(field, (field,))
    value: Any = next((row[name] for name in names if row.get(name) is not None), None)
    if isinstance(value, str):  # JSON may spell half a character, which no output can hold
        return value.encode(errors="replace").decode()
    if value is None:
        return None
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"{field} is a {type(value).__name__}, not text")
