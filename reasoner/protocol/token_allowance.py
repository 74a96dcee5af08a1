"""Token allowances of a trajectory, and the soft stop when its reasoning budget is spent."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["GRACE_TOKENS", "SoftStop", "TokenAllowance", "ends_sentence"]

GRACE_TOKENS = 48
"""Tokens that a sentence may still take once the budget is spent."""


@dataclass(frozen=True)
class TokenAllowance:
    """The tokens that a trajectory may have.

    `reasoning_tokens` is the budget of all its reasoning tokens: once they are spent, a soft stop
    follows at the end of the sentence. At `max_reasoning_tokens` reasoning tokens the reasoning
    stops anywhere. `answer_tokens` is the maximum for the answer. `time_is_up` returns whether
    the time for reasoning is up.
    """

    reasoning_tokens: int
    max_reasoning_tokens: int
    answer_tokens: int
    time_is_up: Callable[[], bool] = lambda: False


class SoftStop:
    """The soft stop of one trajectory: counts its reasoning tokens against the allowance.

    `used` reasoning tokens were generated in earlier rounds.
    """

    def __init__(self, allowance: TokenAllowance, used: int) -> None:
        self._allowance, self._reasoning_tokens = allowance, used
        self._spent_at: int | None = None

    @property
    def budget_spent(self) -> bool:
        """Whether the token budget or the time is used up."""
        if self._spent_at is None and (
            self._reasoning_tokens >= self._allowance.reasoning_tokens
            or self._allowance.time_is_up()
        ):
            self._spent_at = self._reasoning_tokens
        return self._spent_at is not None

    def stop(self) -> None:
        """Make the soft stop follow now, whatever is left of the budget."""
        if self._spent_at is None:
            self._spent_at = self._reasoning_tokens

    def count_token(self) -> None:
        """Count one more reasoning token."""
        self._reasoning_tokens += 1

    def must_stop(self, text: str, grace: int = GRACE_TOKENS) -> bool:
        """Whether the reasoning must stop after `text`: the budget is spent, and the sentence has
        ended or `grace` more tokens were generated."""
        if not self.budget_spent:
            return False
        assert self._spent_at is not None
        latest = min(self._spent_at + grace, self._allowance.max_reasoning_tokens)
        return ends_sentence(text) or self._reasoning_tokens >= latest


def ends_sentence(text: str) -> bool:
    """Whether text stops at a line's or sentence's end; a dot after a digit may be a decimal."""
    if text.endswith("\n"):
        return True
    bare = text.rstrip("\"')]*")
    return bare.endswith(("!", "?")) or (bare.endswith(".") and not bare[-2:-1].isdigit())
