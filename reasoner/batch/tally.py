"""What a batch came to, added up record by record."""

import math
from collections import Counter

from reasoner.batch.rows import Row

__all__ = ["Tally", "wilson"]


class Tally:
    """Counts of `verified`, `refuted`, `answered`, `no_answer` and `error`, and the tokens."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.tokens = 0

    @property
    def total(self) -> int:
        return self.counts.total()

    def add(self, row: Row) -> None:
        """Count one line of the output. Raises ValueError when it is no such line."""
        status = "error" if "error" in row else row.get("status")
        usage = row.get("usage", {})
        tokens = usage.get("completion_tokens", 0) if isinstance(usage, dict) else None
        if not isinstance(status, str) or not isinstance(tokens, int):
            raise ValueError("neither a result nor an error")
        self.counts[status] += 1
        self.tokens += tokens

    @property
    def score(self) -> str:
        """`40 of 64 right, 62.5 % [50.2 %, 73.3 %]`, among those that were answered or should
        have been; where no answer was known, what a check confirmed is right."""
        right, count = self.counts["verified"], self.total - self.counts["error"]
        if not count:
            return "0 of 0 right"
        low, high = wilson(right, count)
        return f"{right} of {count} right, {right / count:.1%} [{low:.1%}, {high:.1%}]"

    @property
    def exit_code(self) -> int:
        """1 if any could not be used or failed, else 3 if any was refuted, else 4 if any has no
        answer, else 0."""
        ranked = {"error": 1, "refuted": 3, "no_answer": 4}
        return next((code for status, code in ranked.items() if self.counts[status]), 0)


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval for a proportion."""
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return centre - half, centre + half
