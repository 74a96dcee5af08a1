"""One line of a batch: its id, and the problem it holds or why it holds none."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from reasoner.batch.rows import Row, text_of
from reasoner.problem import Problem

__all__ = ["Item", "make_item"]

LONGEST_ID = 200
FIELDS = ("question", "system", "expect", "tests", "entry_point")


@dataclass(frozen=True, slots=True)
class Item:
    """`line` is where it begins in the input, `size` how many bytes it takes there."""

    id: str
    line: int
    size: int
    problem: Problem | None = None
    error: str | None = None


def make_item(
    line: int, size: int, content: bytes, read: Callable[[], Row], expect: str | None
) -> Item:
    """The item of a row. Its own id, else one made from its line and its content, so that the
    same line has the same id in every run. `expect` names the field with the known answer."""
    name = f"{line}-{blake2b(content.strip(), digest_size=6).hexdigest()}"
    try:
        row = read()
        name = _own_id(row) or name
        return Item(name, line, size, _problem(row, expect))
    except ValueError as error:
        return Item(name, line, size, error=f"line {line}: {error}")


def _own_id(row: Row) -> str | None:
    """Raises ValueError with a reason."""
    name = text_of(row, "id")
    if name is not None and len(name) > LONGEST_ID:
        raise ValueError(f"its id is longer than {LONGEST_ID} characters")
    return name


def _problem(row: Row, expect: str | None) -> Problem:
    """Raises ValueError with a reason."""
    found = {field: text_of(row, field) for field in FIELDS}
    if expect is not None:
        found["expect"] = text_of(row, expect)
        if found["expect"] is None:
            raise ValueError(f"no field '{expect}' with the known answer")
    if not (found["question"] or "").strip():
        raise ValueError("no question (or prompt, or problem)")
    return Problem.model_validate(found)
