"""The arithmetic of a vote: shares, and when it is decided before everybody has spoken."""

from collections.abc import Sequence

__all__ = ["decided", "posterior", "shares", "top_two"]


def shares(weights: Sequence[float]) -> list[float]:
    """The weights as parts of one; equal parts where nobody has any weight."""
    total = sum(weights)
    return [w / total for w in weights] if total > 0 else [1 / len(weights) for _ in weights]


def top_two(weights: Sequence[float]) -> tuple[float, float]:
    """The leader's and the runner-up's weight; 0 where there is none."""
    first, second = sorted([*weights, 0.0, 0.0], reverse=True)[:2]
    return first, second


def posterior(lead: float, second: float) -> float:
    """The probability that the leader is the more frequent of the top two answers.

    Each draw between the two is a coin of unknown bias, whose prior is uniform: after `lead` and
    `second` draws (weights may be fractions) it is Beta(lead + 1, second + 1), and the leader is
    the more frequent one where the bias is above one half: 1 − I₀.₅(lead + 1, second + 1).
    """
    import mpmath

    below = mpmath.betainc(lead + 1, second + 1, 0, 0.5, regularized=True)
    return 1.0 - float(below)


def decided(weights: Sequence[float], left: float, threshold: float) -> bool:
    """Whether voting may stop: the `left` votes to come, of weight at most one each, can no
    longer overturn the lead, or the posterior of the leader has reached `threshold`."""
    lead, second = top_two(weights)
    if lead <= 0:
        return left <= 0
    return lead - second > left or posterior(lead, second) >= threshold
