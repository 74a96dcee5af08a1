"""The record of one question under one variant: the result, and what the known answer says of it.

A record is a batch's line with the fields `dataset`, `level`, `expect`, `correct` and `check`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from reasoner.batch.record import BatchRecord
from reasoner.batch.rows import Row
from reasoner.evaluation.question import EvalQuestion
from reasoner.types.result import Status
from reasoner.types.verdict import Verdict

__all__ = ["EvalRecord", "ScoredRow"]


@dataclass(frozen=True, slots=True)
class EvalRecord:
    """A question with the batch's record of it, whether the answer is right, and the verdicts that
    compared it with the known one.

    `correct` is None where no check decides.
    """

    question: EvalQuestion
    record: BatchRecord
    correct: bool | None = None
    check: Sequence[Verdict] = ()

    def to_row(self) -> Row:
        """Return the record as a mapping; a row with `error` has no result."""
        question = self.question
        row = self.record.to_row() | {"dataset": question.dataset, "level": question.level}
        if self.record.result is None:
            return row
        return row | {
            "expect": question.known.expect,
            "correct": self.correct,
            "check": [
                {"verifier": each.verifier, "outcome": each.outcome, "reason": each.reason}
                for each in self.check
            ],
        }

    def to_json(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(self.to_row(), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """What the statistics use of a record.

    `correct` is None where no check decided; such an answer counts as not right. `confidence` is in
    [0, 1], None where the strategy states none. `tokens` are completion and tool tokens,
    `seconds` the wall-clock time of the question, while others may have been at work.
    """

    id: str
    dataset: str
    level: str | None
    correct: bool | None
    status: Status
    confidence: float | None
    tokens: int
    seconds: float

    @classmethod
    def from_row(cls, row: Row) -> Self | None:
        """Return the scored row of a record's row, None for one with an error.

        Raises ValueError for a row of another kind.
        """
        if "error" in row:
            return None
        try:
            usage: dict[str, Any] = row["usage"]
            return cls(
                id=str(row["id"]),
                dataset=str(row["dataset"]),
                level=row["level"],
                correct=row["correct"],
                status=Status(row["status"]),
                confidence=row["confidence"],
                tokens=int(usage["completion_tokens"]) + int(usage["tool_tokens"]),
                seconds=float(usage["seconds"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record of an evaluation ({error})") from None
