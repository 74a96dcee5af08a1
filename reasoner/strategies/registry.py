"""Strategies by name."""

from reasoner.errors import UnknownName
from reasoner.strategies.linear import linear
from reasoner.strategies.strategy import Strategy

__all__ = ["STRATEGIES", "find_strategy"]

STRATEGIES: dict[str, Strategy] = {"linear": linear}


def find_strategy(name: str) -> Strategy:
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]
