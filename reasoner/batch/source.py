"""A batch's input: JSON Lines, a JSON document, or a table with a header.

JSON Lines and tables are read lazily, and from a pipe as they come.
"""

import csv
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from reasoner.batch.item import BatchItem, make_batch_item
from reasoner.batch.json_document import DocumentValue, parse_document
from reasoner.batch.rows import (
    FIELD_NAMES,
    MAX_LINE_BYTES,
    TOO_LONG,
    Row,
    as_row,
    parse_row,
    split_lines,
)
from reasoner.batch.text_input import UTF8_ENCODINGS, TextInput
from reasoner.errors import UsageError

__all__ = ["BatchFormat", "read_batch_items"]

BatchFormat = Literal["jsonl", "csv", "tsv"]
DELIMITERS = {"csv": ",;\t", "tsv": "\t"}
"""The characters that may stand between cells, the usual one first."""


def read_batch_items(
    descriptor: int,
    form: BatchFormat,
    expect: str | None = None,
    *,
    on_notice: Callable[[str], None] | None = None,
) -> Iterator[BatchItem]:
    """Yield every item of the input; those that cannot be used have an `error`. Blank lines are
    skipped.

    An item with the id of an earlier one is such an error. `on_notice` is told of an encoding that
    is converted. Raises UsageError for a file of another format, and when a table has no usable
    header.
    """
    text = TextInput(descriptor)
    if on_notice is not None and text.encoding not in UTF8_ENCODINGS:
        on_notice(f"the input is {text.encoding.upper()} and not UTF-8; it is converted")
    items = _json_items(text, expect) if form == "jsonl" else _table_items(text, form, expect)
    first_lines: dict[int, int] = {}  # by the id's hash: ids of large inputs would fill memory
    for number, item in enumerate(items, 1):
        key = hash(item.key)
        if key in first_lines:
            reason = f"line {item.line}: its id is that of line {first_lines[key]}"
            yield BatchItem(f"{number}-{item.id}", item.line, item.size, error=reason)
        else:
            first_lines[key] = item.line
            yield item


def _json_items(text: TextInput, expect: str | None) -> Iterator[BatchItem]:
    """The items of JSON Lines; of a document where the text begins as no line of them would."""
    start = text.peek_first_value()
    if start[:1] == b"[" or start == b"{\n":
        for number, value in enumerate(parse_document(text), 1):
            read = partial(_document_row, value)
            content = value.text.encode(errors="replace")
            yield make_batch_item(value.line, content, read, expect, number=number)
        return
    for number, line in enumerate(split_lines(text), 1):
        if line.strip():
            size = len(line) + 1
            yield make_batch_item(number, line, partial(parse_row, line), expect, size=size)


def _document_row(value: DocumentValue) -> Row:
    """Return the value as a row. Raises ValueError with a reason."""
    if value.error is not None:
        raise ValueError(value.error)
    if len(value.text) > MAX_LINE_BYTES:
        raise ValueError(TOO_LONG)
    return as_row(value.value)


def _table_items(text: TextInput, form: BatchFormat, expect: str | None) -> Iterator[BatchItem]:
    """The items of a table whose first row names the columns; a cell may span lines."""
    csv.field_size_limit(MAX_LINE_BYTES)
    lines = _TextLines(text)
    rows = csv.reader(lines, delimiter=lines.delimiter(DELIMITERS[form]), strict=True)
    header = _header(rows, expect)
    while True:
        line, before = lines.number + 1, lines.end
        try:
            cells = next(rows)
            read = partial(_row, header, cells)
        except StopIteration:
            return
        except csv.Error as error:
            reason = _table_error(error)
            cells, read = [reason], partial(_raise_value_error, f"not a row of a table: {reason}")
        if any(cell.strip() for cell in cells):
            content = json.dumps(cells).encode()
            yield make_batch_item(line, content, read, expect, size=lines.end - before)


def _table_error(error: csv.Error) -> str:
    """The error in words for the writer of a table, not of a Python program."""
    if "new-line" in str(error):
        return "a line end in a cell without quotes"
    return str(error)


def _raise_value_error(reason: str) -> Row:
    raise ValueError(reason)


def _header(rows: Iterator[list[str]], expect: str | None) -> list[str]:
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise UsageError(f"the first line is no header: {_table_error(error)}") from None
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
    """The lines of an input as text. `number` counts them; `end` is the position in bytes after
    the last one."""

    def __init__(self, text: TextInput) -> None:
        self._lines = split_lines(text)
        self._first: str | None = None
        self.number = self.end = 0

    def delimiter(self, choices: str) -> str:
        """Return the one of `choices` between the columns that the first line names.

        Excel writes semicolons in many countries, sometimes with a line such as `sep=;` before.
        """
        line = next(self, "")
        if line.startswith("sep=") and line[4:5] in (*choices,):
            return line[4]
        self._first = line
        names = set(FIELD_NAMES["question"])
        for delimiter in choices:
            if names & {name.strip().strip('"') for name in line.split(delimiter)}:
                return delimiter
        return choices[0]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            line, self._first = self._first, None
            return line
        data = next(self._lines)
        self.number += 1
        self.end += len(data) + 1
        encoding = "utf-8-sig" if self.number == 1 else "utf-8"
        return f"{data.decode(encoding, 'surrogateescape')}\n"
