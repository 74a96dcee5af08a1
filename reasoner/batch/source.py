"""A batch's input: JSON Lines or a table with a header, read lazily."""

import csv
import json
from collections.abc import Iterator
from functools import partial
from typing import Literal

from reasoner.batch.item import BatchItem, make_batch_item
from reasoner.batch.rows import FIELD_NAMES, MAX_LINE_BYTES, Row, parse_row, read_lines
from reasoner.errors import UsageError

__all__ = ["BatchFormat", "read_batch_items"]

BatchFormat = Literal["jsonl", "csv", "tsv"]
DELIMITER = {"csv": ",", "tsv": "\t"}


def read_batch_items(
    descriptor: int, form: BatchFormat, expect: str | None = None
) -> Iterator[BatchItem]:
    """Yield every item of the input; those that cannot be used have an `error`. Blank lines are
    skipped.

    A line with the id of an earlier one is such an error. Raises UsageError when a table has no
    usable header.
    """
    items = (
        _json_items(descriptor, expect)
        if form == "jsonl"
        else _table_items(descriptor, form, expect)
    )
    first_lines: dict[int, int] = {}  # by the id's hash: ids of large inputs would fill memory
    for item in items:
        first = first_lines.setdefault(hash(item.id), item.line)
        if first == item.line:
            yield item
        else:
            reason = f"line {item.line}: its id is that of line {first}"
            yield BatchItem(f"{item.line}-{item.id}", item.line, item.size, error=reason)


def _json_items(descriptor: int, expect: str | None) -> Iterator[BatchItem]:
    for number, line in enumerate(read_lines(descriptor), 1):
        if line.strip():
            yield make_batch_item(number, len(line) + 1, line, partial(parse_row, line), expect)


def _table_items(descriptor: int, form: BatchFormat, expect: str | None) -> Iterator[BatchItem]:
    """The items of a table whose first row names the columns; a cell may span lines."""
    csv.field_size_limit(MAX_LINE_BYTES)
    lines = _TextLines(descriptor)
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
            cells, read = (
                [str(error)],
                partial(_raise_value_error, f"not a row of a table: {error}"),
            )
        if any(cell.strip() for cell in cells):
            content = json.dumps(cells).encode()
            yield make_batch_item(line, lines.end - before, content, read, expect)


def _raise_value_error(reason: str) -> Row:
    raise ValueError(reason)


def _header(rows: Iterator[list[str]], expect: str | None) -> list[str]:
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise UsageError(f"the first line is no header: {error}") from None
    names = FIELD_NAMES["question"]
    if not set(names) & set(header):
        raise UsageError(
            f"the header names no column '{names[0]}' (or {', '.join(names[1:])}); "
            f"it begins {', '.join(header)[:80]!r}"
        )
    if expect is not None and expect not in header:
        raise UsageError(f"the header names no column '{expect[:60]}'")
    return header


def _row(header: list[str], cells: list[str]) -> Row:
    """A row as a mapping. Raises ValueError when its cells do not match the header or are not
    UTF-8."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells, the header has {len(header)}")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        raise ValueError("not UTF-8 text") from None
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}


class _TextLines:
    """The lines of a file descriptor as text. `number` counts them; `end` is the position in bytes
    after the last one."""

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
