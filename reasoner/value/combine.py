"""Several scores of one thing made into one."""

import math
from collections.abc import Sequence
from statistics import fmean

__all__ = ["combine"]

LEAST = 1e-3
"""Scores are kept this far from 0 and 1: no single one may decide alone, however sure it is."""


def combine(scores: Sequence[float]) -> float:
    """One score in [0, 1] from at least one score in [0, 1].

    The log-odds are averaged (a logarithmic opinion pool), so that independent doubts add up and
    an undecided source (0.5) pulls towards undecided.
    """
    return 1 / (1 + math.exp(-fmean(map(_log_odds, scores))))


def _log_odds(score: float) -> float:
    kept = min(max(score, LEAST), 1 - LEAST)
    return math.log(kept / (1 - kept))
