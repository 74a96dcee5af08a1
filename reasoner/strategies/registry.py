"""Strategies by name."""

from typing import Any

from reasoner.errors import UnknownName
from reasoner.strategies.best_of_n import BestOfN, WeightedBestOfN, best_of_n, weighted_best_of_n
from reasoner.strategies.cross_check import CrossCheck, cross_check
from reasoner.strategies.linear import linear
from reasoner.strategies.majority import Majority, majority
from reasoner.strategies.parameters import NoParameters
from reasoner.strategies.strategy import Strategy

__all__ = ["STRATEGIES", "find_strategy"]

STRATEGIES: dict[str, Strategy[Any]] = {
    "linear": Strategy(linear, NoParameters, varied=False),
    "cross-check": Strategy(cross_check, CrossCheck, varied=False),
    "majority": Strategy(majority, Majority),
    "best-of-n": Strategy(best_of_n, BestOfN),
    "weighted-best-of-n": Strategy(weighted_best_of_n, WeightedBestOfN),
}


def find_strategy(name: str) -> Strategy[Any]:
    """By its name, in which `_` may stand for `-`. Raises UnknownName."""
    name = name.replace("_", "-")
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES, hint="(reasoner strategies list)")
    return STRATEGIES[name]
