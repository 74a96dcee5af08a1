"""Where a batch's items come from: JSON Lines or a table with a header, read as they are wanted."""

import csv
import json
from collections.abc import Iterator
from functools import partial
from typing import Literal

from reasoner.batch.item import Item, make_item
from reasoner.batch.rows import LARGEST, NAMES, Row, read_lines, read_row
from reasoner.errors import UsageError

__all__ = ["Form", "read_items"]

Form = Literal["jsonl", "csv", "tsv"]
DELIMITER = {"csv": ",", "tsv": "\t"}


def read_items(descriptor: int, form: Form, expect: str | None = None) -> Iterator[Item]:
    """Every item of the input, those that cannot be used with the reason; blank lines are none.

    An id that an earlier line had makes the later one unusable. Raises UsageError when a table
    has no usable header.
    """
    rows = _json(descriptor, expect) if form == "jsonl" else _table(descriptor, form, expect)
    seen: dict[int, int] = {}  # a hash each: bounded memory for huge inputs
    for item in rows:
        first = seen.setdefault(hash(item.id), item.line)
        if first == item.line:
            yield item
        else:
            reason = f"line {item.line}: its id is that of line {first}"
            yield Item(f"{item.line}-{item.id}", item.line, item.size, error=reason)


def _json(descriptor: int, expect: str | None) -> Iterator[Item]:
    for number, line in enumerate(read_lines(descriptor), 1):
        if line.strip():
            yield make_item(number, len(line) + 1, line, partial(read_row, line), expect)


def _table(descriptor: int, form: Form, expect: str | None) -> Iterator[Item]:
    """Rows of cells below a header of names; a cell may span lines."""
    csv.field_size_limit(LARGEST)
    lines = _Lines(descriptor)
    rows = csv.reader(lines, delimiter=DELIMITER[form], strict=True)
    header = _header(rows, expect)
    while True:
        line, before = lines.number + 1, lines.end
        try:
            cells = next(rows)
            read = partial(_row, header, cells)
        except StopIteration:
            return
        except csv.Error as error:
            cells, read = [str(error)], partial(_refuse, f"not a row of a table: {error}")
        if any(cell.strip() for cell in cells):
            content = json.dumps(cells).encode()
            yield make_item(line, lines.end - before, content, read, expect)


def _refuse(reason: str) -> Row:
    raise ValueError(reason)


def _header(rows: Iterator[list[str]], expect: str | None) -> list[str]:
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise UsageError(f"the first line is no header: {error}") from None
    wanted = NAMES["question"]
    if not set(wanted) & set(header):
        raise UsageError(
            f"the header names no column '{wanted[0]}' (or {', '.join(wanted[1:])}); "
            f"it begins {', '.join(header)[:80]!r}"
        )
    if expect is not None and expect not in header:
        raise UsageError(f"the header names no column '{expect[:60]}'")
    return header


def _row(header: list[str], cells: list[str]) -> Row:
    """Raises ValueError for a row that is not the header's, or whose bytes were no text."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells, the header has {len(header)}")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        raise ValueError("not UTF-8 text") from None
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}


class _Lines:
    """The lines of a descriptor as text; knows how far it has come."""

    def __init__(self, descriptor: int) -> None:
        self._lines = read_lines(descriptor)
        self.number = self.end = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.end += len(line) + 1
        text = line.decode("utf-8-sig" if self.number == 1 else "utf-8", "surrogateescape")
        return f"{text}\n"
