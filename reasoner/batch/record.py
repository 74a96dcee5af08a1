"""One line of a batch's output: the result with its id, or what stood in its way."""

import json
from dataclasses import dataclass

from reasoner.batch.item import Item
from reasoner.batch.rows import Row
from reasoner.result import Result

__all__ = ["START", "Record"]

START = '{"id":'
"""How every line begins."""


@dataclass(frozen=True, slots=True)
class Record:
    """What became of an item: a result, or an error that names its line."""

    item: Item
    result: Result | None = None
    error: str | None = None

    def row(self) -> Row:
        """`id` with the result's own fields, or with `line` and `error`."""
        if self.result is None:
            return {"id": self.item.id, "line": self.item.line, "error": self.error}
        return {"id": self.item.id, **self.result.model_dump(mode="json")}

    def json(self) -> str:
        """The row as a line of JSON, without the line's end."""
        return json.dumps(self.row(), ensure_ascii=False, separators=(",", ":"))
