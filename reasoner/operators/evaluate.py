"""Evaluate: say how good something is, without changing it."""

from statistics import fmean

from reasoner.attempt import Attempt
from reasoner.verify.status import standing

__all__ = ["ballot", "merit"]

PASSED = 0.75
"""The least standing of an attempt that passed a check."""
LEAST = 0.1
"""What a refuted attempt's vote still counts: its answer may be right all the same."""


def merit(attempt: Attempt, agreement: float | None = None) -> float:
    """What an attempt is worth, in [0, 1]: the mean of its standing before the verifiers, of its
    value, and of the share of others that agree with it, as far as there are any of these."""
    known = (standing(attempt.verdicts or ()), attempt.value, agreement)
    return fmean(part for part in known if part is not None)


def ballot(attempt: Attempt) -> float:
    """How much an attempt's vote counts, in [0, 1]: all of it when it passed its checks or
    nobody checked it, two thirds when they could not decide, at most a third when refuted."""
    if not attempt.verdicts:
        return 1.0
    return min(1.0, max(LEAST, standing(attempt.verdicts) / PASSED))
