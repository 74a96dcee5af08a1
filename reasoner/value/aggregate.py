"""From the scores of steps to the score of their path."""

from collections.abc import Sequence
from math import prod
from typing import Literal

__all__ = ["Aggregation", "aggregate"]

Aggregation = Literal["min", "prod", "last", "mean"]
"""`prod`: every step right (Lightman et al. 2023); `min`: the weakest step (Math-Shepherd);
`last`: best for soft Monte-Carlo labels (Snell et al. 2024)."""


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
