"""Softmax over the log-probabilities of a few options, normalised among these."""

from collections.abc import Sequence
from math import exp

__all__ = ["leading_share", "softmax"]


def softmax(logprobs: Sequence[float]) -> tuple[float, ...]:
    """The probability of each option among the given ones; at least one log-probability."""
    weights = _weights(logprobs)
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def leading_share(logprobs: Sequence[float], count: int) -> float:
    """The probability of the first `count` options together, among all of the given ones."""
    weights = _weights(logprobs)
    return sum(weights[:count]) / sum(weights)


def _weights(logprobs: Sequence[float]) -> list[float]:
    """Unnormalised probabilities; the largest is 1, so that none overflows."""
    largest = max(logprobs)
    return [exp(logprob - largest) for logprob in logprobs]
