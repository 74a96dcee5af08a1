"""Aggregation of step scores into the score of a trajectory."""

from collections.abc import Sequence
from math import prod

from reasoner.models.format import Aggregation

__all__ = ["Aggregation", "aggregate_step_scores"]


def aggregate_step_scores(scores: Sequence[float], aggregation: Aggregation) -> float:
    """A trajectory's score in [0, 1] from its steps' scores in [0, 1]; 0.5 without steps."""
    if not scores:
        return 0.5
    match aggregation:
        case "min":
            return min(scores)
        case "prod":
            return prod(scores)
        case "last":
            return scores[-1]
        case "mean":
            return sum(scores) / len(scores)
