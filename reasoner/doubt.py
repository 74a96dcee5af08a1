"""How a model saw a token that it wrote or read."""

from typing import NamedTuple

__all__ = ["Doubt"]


class Doubt(NamedTuple):
    """The `surprise` is -log of the token's probability, the `entropy` that of all that could have
    stood there; in nats. Both are 0 for a token that the model was not asked about."""

    surprise: float
    entropy: float
