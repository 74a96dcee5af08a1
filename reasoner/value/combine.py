"""Several scores of one thing made into one: value, judge, agreement, verification."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

__all__ = ["Mixture", "combine"]

LEAST = 1e-3
"""Scores are kept this far from 0 and 1: no single one may decide alone, however sure it is."""


class Mixture(BaseModel):
    """How much each source's word counts; a source that is not named counts nothing.

    The log-odds are averaged with these weights (a logarithmic opinion pool), so that independent
    doubts add up and an undecided source (0.5) pulls towards undecided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Mapping[str, NonNegativeFloat]


def combine(scores: Mapping[str, float | None], mixture: Mixture) -> float | None:
    """One score in [0, 1] from scores in [0, 1] by source, or None when no source has spoken.

    A source that has not (None) is left out, and the others count for its share.
    """
    heard = {
        name: score
        for name, score in scores.items()
        if score is not None and mixture.weights.get(name, 0.0) > 0
    }
    if not heard:
        return None
    total = sum(mixture.weights[name] for name in heard)
    odds = sum(mixture.weights[name] * _log_odds(score) for name, score in heard.items())
    return 1 / (1 + math.exp(-odds / total))


def _log_odds(score: float) -> float:
    kept = min(max(score, LEAST), 1 - LEAST)
    return math.log(kept / (1 - kept))
