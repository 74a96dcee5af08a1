"""Soft landing: when a budget is spent, finish the sentence before closing the reasoning."""

from collections.abc import Callable

__all__ = ["GRACE", "Landing", "ends_sentence"]

GRACE = 48
"""Tokens a sentence may still take once the budget is spent."""


class Landing:
    """Watches one path's reasoning tokens.

    `used` tokens were written before; `budget` None means no limit. `over` is asked whether
    something else, such as the clock, has ended the reasoning.
    """

    def __init__(
        self, budget: int | None, used: int, over: Callable[[], bool] = lambda: False
    ) -> None:
        self._budget, self._used, self._over = budget, used, over
        self._spent_at: int | None = None

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        if self._spent_at is None and (
            (self._budget is not None and self._used >= self._budget) or self._over()
        ):
            self._spent_at = self._used
        return self._spent_at is not None

    def count(self) -> None:
        """One more token was written."""
        self._used += 1

    def due(self, text: str, grace: int = GRACE) -> bool:
        """Whether the text must be closed here."""
        if not self.spent:
            return False
        assert self._spent_at is not None
        return ends_sentence(text) or self._used >= self._spent_at + grace


def ends_sentence(text: str) -> bool:
    """Whether text stops at a line's or sentence's end; a dot after a digit may be a decimal."""
    if text.endswith("\n"):
        return True
    bare = text.rstrip("\"')]*")
    return bare.endswith(("!", "?")) or (bare.endswith(".") and not bare[-2:-1].isdigit())
