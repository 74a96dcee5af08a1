"""Vote arithmetic: shares of the weight, and early stopping once a vote is decided."""

from collections.abc import Sequence
from math import ceil, exp, lgamma, log

__all__ = ["is_vote_decided", "lead_probability", "top_two_weights", "weight_shares"]


def weight_shares(weights: Sequence[float]) -> list[float]:
    """The weights divided by their sum; equal shares where the sum is 0."""
    total = sum(weights)
    return [w / total for w in weights] if total > 0 else [1 / len(weights) for _ in weights]


def top_two_weights(weights: Sequence[float]) -> tuple[float, float]:
    """The largest and the second largest weight; 0 where there is none."""
    first, second = sorted([*weights, 0.0, 0.0], reverse=True)[:2]
    return first, second


def lead_probability(lead: float, second: float, remaining_votes: int) -> float:
    """The probability that the leader of the top two answers still leads after `remaining_votes`
    more votes for one of them; a tie counts half.

    Each vote between the two is a coin toss of unknown bias with a uniform prior. After `lead` and
    `second` votes (weights may be fractional) the number of further votes for the second answer is
    beta-binomial with parameters second + 1 and lead + 1.
    """
    prior = _log_beta(second + 1, lead + 1)
    probability = 0.0
    for votes in range(remaining_votes + 1):
        gap = lead - second + remaining_votes - 2 * votes
        if gap < 0:
            break
        likelihood = _log_beta(votes + second + 1, remaining_votes - votes + lead + 1) - prior
        choices = -log(remaining_votes + 1) - _log_beta(votes + 1, remaining_votes - votes + 1)
        probability += exp(likelihood + choices) * (1.0 if gap > 0 else 0.5)
    return probability


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def is_vote_decided(weights: Sequence[float], remaining_weight: float, threshold: float) -> bool:
    """Whether a vote may stop: the `remaining_weight` of the votes to come, each of weight at most
    1, cannot overturn the lead, or does not with a probability of at least `threshold`.

    The top two answers are assumed to receive the same share of these votes as of those before.
    """
    lead, second = top_two_weights(weights)
    if lead <= 0:
        return remaining_weight <= 0
    share = (lead + second) / sum(weights)
    if lead - second > remaining_weight:
        return True
    return lead_probability(lead, second, ceil(remaining_weight * share)) >= threshold
