"""From the scores of steps to the score of their path."""

from collections.abc import Sequence
from math import prod

from reasoner.models.format import Aggregation

__all__ = ["Aggregation", "aggregate"]


def aggregate(scores: Sequence[float], how: Aggregation) -> float:
    """One score in [0, 1] for a path of steps scored in [0, 1].

    A path without steps has nothing against it or for it: 0.5.
    """
    if not scores:
        return 0.5
    match how:
        case "min":
            return min(scores)
        case "prod":
            return prod(scores)
        case "last":
            return scores[-1]
        case "mean":
            return sum(scores) / len(scores)
