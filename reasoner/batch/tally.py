"""The totals of a batch."""

from collections import Counter

from reasoner.batch.rows import Row
from reasoner.metrics import wilson_interval

__all__ = ["BatchTotals"]


class BatchTotals:
    """The number of records by status (`verified`, `refuted`, `answered`, `no_answer`, `error`),
    and of completion tokens."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.tokens = 0

    @property
    def total(self) -> int:
        """The number of records."""
        return self.counts.total()

    def add(self, row: Row) -> None:
        """Count a record. Raises ValueError when the row is not one."""
        status = "error" if "error" in row else row.get("status")
        usage = row.get("usage", {})
        tokens = usage.get("completion_tokens", 0) if isinstance(usage, dict) else None
        if not isinstance(status, str) or not isinstance(tokens, int):
            raise ValueError("neither a result nor an error")
        self.counts[status] += 1
        self.tokens += tokens

    @property
    def summary(self) -> str:
        """The share of verified records with its 95 % interval, as in `40 of 64 right, 62.5%
        [50.2%, 73.3%]`. Errors are not counted."""
        right, count = self.counts["verified"], self.total - self.counts["error"]
        if not count:
            return "0 of 0 right"
        low, high = wilson_interval(right, count)
        return f"{right} of {count} right, {right / count:.1%} [{low:.1%}, {high:.1%}]"

    @property
    def exit_code(self) -> int:
        """1 if any record is an error, else 3 if any is refuted, else 4 if any has no answer, else
        0."""
        ranked = {"error": 1, "refuted": 3, "no_answer": 4}
        return next((code for status, code in ranked.items() if self.counts[status]), 0)
