"""How far a path may still go, and the soft landing when its reasoning has gone far enough."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["GRACE", "Landing", "Room", "ends_sentence"]

GRACE = 48
"""Tokens a sentence may still take once the budget is spent."""


@dataclass(frozen=True)
class Room:
    """Tokens left to a path.

    `reasoning` is the budget for all of its reasoning, which lands softly; at `hard` reasoning
    tokens it is cut wherever it stands; `answer` caps the answer. `over` tells that the time for
    reasoning is up.
    """

    reasoning: int
    hard: int
    answer: int
    over: Callable[[], bool] = lambda: False


class Landing:
    """Watches one path's reasoning tokens, of which `used` were written before."""

    def __init__(self, room: Room, used: int) -> None:
        self._room, self._used = room, used
        self._spent_at: int | None = None

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        if self._spent_at is None and (self._used >= self._room.reasoning or self._room.over()):
            self._spent_at = self._used
        return self._spent_at is not None

    def count(self) -> None:
        """One more token was written."""
        self._used += 1

    def due(self, text: str, grace: int = GRACE) -> bool:
        """Whether the text must be closed here: a budget is spent, and its sentence with it."""
        if not self.spent:
            return False
        assert self._spent_at is not None
        latest = min(self._spent_at + grace, self._room.hard)
        return ends_sentence(text) or self._used >= latest


def ends_sentence(text: str) -> bool:
    """Whether text stops at a line's or sentence's end; a dot after a digit may be a decimal."""
    if text.endswith("\n"):
        return True
    bare = text.rstrip("\"')]*")
    return bare.endswith(("!", "?")) or (bare.endswith(".") and not bare[-2:-1].isdigit())
