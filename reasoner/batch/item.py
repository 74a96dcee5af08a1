"""One line of a batch's input: its id, and its problem or the reason why it has none."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from reasoner.batch.rows import Row, field_text
from reasoner.types.problem import Problem

__all__ = ["BatchItem", "make_batch_item"]

MAX_ID_CHARACTERS = 200
PROBLEM_FIELDS = ("question", "system", "expect", "tests", "entry_point")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """An item of a batch. `line` is the number of its first line in the input, from 1, and `size`
    its length there in bytes. Either `problem` or `error` is set."""

    id: str
    line: int
    size: int
    problem: Problem | None = None
    error: str | None = None


def make_batch_item(
    line: int, size: int, content: bytes, read: Callable[[], Row], expect: str | None
) -> BatchItem:
    """Make the item of a row, which `read` returns or raises ValueError for.

    Without an id of its own it gets one made from its line and content, the same in every run.
    `expect` names the field with the known answer.
    """
    name = f"{line}-{blake2b(content.strip(), digest_size=6).hexdigest()}"
    try:
        row = read()
        name = _own_id(row) or name
        return BatchItem(name, line, size, _problem(row, expect))
    except ValueError as error:
        return BatchItem(name, line, size, error=f"line {line}: {error}")


def _own_id(row: Row) -> str | None:
    """The row's id, if it has one. Raises ValueError with a reason."""
    name = field_text(row, "id")
    if name is not None and len(name) > MAX_ID_CHARACTERS:
        raise ValueError(f"its id is longer than {MAX_ID_CHARACTERS} characters")
    return name


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
