"""The arithmetic of a vote: shares, and when it is decided before everybody has spoken."""

from collections.abc import Sequence
from math import ceil, exp, lgamma, log

__all__ = ["decided", "lasting", "shares", "top_two"]


def shares(weights: Sequence[float]) -> list[float]:
    """The weights as parts of one; equal parts where nobody has any weight."""
    total = sum(weights)
    return [w / total for w in weights] if total > 0 else [1 / len(weights) for _ in weights]


def top_two(weights: Sequence[float]) -> tuple[float, float]:
    """The leader's and the runner-up's weight; 0 where there is none."""
    first, second = sorted([*weights, 0.0, 0.0], reverse=True)[:2]
    return first, second


def lasting(lead: float, second: float, left: int) -> float:
    """The probability that who leads the top two answers still does after `left` more votes for
    one of them; a tie counts half.

    Each vote between the two is a coin of unknown bias, whose prior is uniform. After `lead` and
    `second` votes (weights may be fractions) the number of the next ones that fall to the second
    is beta-binomial with parameters second + 1 and lead + 1.
    """
    prior = _log_beta(second + 1, lead + 1)
    kept = 0.0
    for falls in range(left + 1):
        gap = lead - second + left - 2 * falls
        if gap < 0:
            break
        ways = _log_beta(falls + second + 1, left - falls + lead + 1) - prior
        chosen = -log(left + 1) - _log_beta(falls + 1, left - falls + 1)
        kept += exp(ways + chosen) * (1.0 if gap > 0 else 0.5)
    return kept


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def decided(weights: Sequence[float], left: float, threshold: float) -> bool:
    """Whether voting may stop: the `left` votes to come, of weight at most one each, can no
    longer overturn the lead, or will not with a probability of at least `threshold`. Of these,
    the top two get the part that they have got so far."""
    lead, second = top_two(weights)
    if lead <= 0:
        return left <= 0
    share = (lead + second) / sum(weights)
    return lead - second > left or lasting(lead, second, ceil(left * share)) >= threshold
