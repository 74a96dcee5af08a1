"""One line of a batch's output: an item's id with its result or its error."""

import json
from dataclasses import dataclass

from reasoner.batch.item import BatchItem
from reasoner.batch.rows import Row
from reasoner.types.result import Result

__all__ = ["RECORD_START", "BatchRecord"]

RECORD_START = '{"id":'
"""The characters that every line starts with."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """An item with its result, or with an error that names its line."""

    item: BatchItem
    result: Result | None = None
    error: str | None = None

    def to_row(self) -> Row:
        """The record as a mapping: `id` with the result's fields, or with `line` and `error`."""
        if self.result is None:
            return {"id": self.item.id, "line": self.item.line, "error": self.error}
        return {"id": self.item.id, **self.result.model_dump(mode="json")}

    def to_json(self) -> str:
        """The row as one line of JSON, without a line break."""
        return json.dumps(self.to_row(), ensure_ascii=False, separators=(",", ":"))
