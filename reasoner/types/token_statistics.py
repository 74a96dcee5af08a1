"""Statistics of a model's next-token distribution at one token of a trajectory."""

from typing import NamedTuple

__all__ = ["TokenStatistics"]


class TokenStatistics(NamedTuple):
    """Surprisal and entropy of one token, in nats.

    `surprisal` is the surprisal, -log p(token); `entropy` is the entropy of the distribution from
    which the token was taken. Both are 0 where they were not measured.
    """

    surprisal: float
    entropy: float
