"""One line of a batch's input: its id, and its problem or the reason why it has none."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from reasoner.batch.rows import Row, field_text, field_value
from reasoner.types.problem import Problem

__all__ = ["BatchItem", "id_key", "make_batch_item"]

MAX_ID_CHARACTERS = 200
PROBLEM_FIELDS = ("question", "system", "expect", "tests", "entry_point")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """An item of a batch. `id` is a JSON value. `line` is the number of its first line in the
    input, from 1, and `size` its length there in bytes. Either `problem` or `error` is set."""

    id: Any
    line: int
    size: int
    problem: Problem | None = None
    error: str | None = None

    @property
    def key(self) -> str:
        """The id as text that is the same for equal ids and differs for 7 and "7"."""
        return id_key(self.id)


def make_batch_item(
    line: int,
    content: bytes,
    read: Callable[[], Row],
    expect: str | None,
    *,
    size: int | None = None,
    number: int | None = None,
) -> BatchItem:
    """Make the item of a row, which `read` returns or raises ValueError for.

    Without an id of its own it gets one made from its number (else its line) and content, the same
    in every run. `expect` names the field with the known answer; `size` is the number of bytes if
    it is not that of the content.
    """
    size = len(content) if size is None else size
    digest = blake2b(content.strip(), digest_size=6).hexdigest()
    name: Any = f"{line if number is None else number}-{digest}"
    try:
        row = read()
        own_id = _own_id(row)
        name = name if own_id is None else own_id
        return BatchItem(name, line, size, _problem(row, expect))
    except ValueError as error:
        return BatchItem(name, line, size, error=f"line {line}: {error}")


def id_key(value: Any) -> str:
    """A JSON value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)


def _own_id(row: Row) -> Any:
    """The row's id, None without one. Raises ValueError with a reason."""
    value = field_value(row, "id")
    if value == "":
        return None
    try:
        key = id_key(value)
    except (ValueError, RecursionError):
        raise ValueError("its id is no JSON value") from None
    if len(key) > MAX_ID_CHARACTERS:
        raise ValueError(f"its id is longer than {MAX_ID_CHARACTERS} characters")
    return _without_surrogates(value) if isinstance(value, str) else value


def _without_surrogates(text: str) -> str:
    return text.encode(errors="replace").decode()


def _problem(row: Row, expect: str | None) -> Problem:
    """The row's problem. Raises ValueError with a reason."""
    values = {field: field_text(row, field) for field in PROBLEM_FIELDS}
    if expect is not None:
        values["expect"] = field_text(row, expect)
        if values["expect"] is None:
            raise ValueError(f"no field '{expect}' with the known answer")
    if not (values["question"] or "").strip():
        raise ValueError("no question (or prompt, or problem)")
    return Problem.model_validate(values)
