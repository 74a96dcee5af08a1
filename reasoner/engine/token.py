"""What a generation yields: tokens with their statistics, and the reason why it ended."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finish", "Token"]


class Finish(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    """The model emitted an end-of-generation token."""
    HALT = "halt"
    """The controller returned `Halt`."""
    LENGTH = "length"
    """`max_tokens` or the context was reached."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Token:
    """One generated or forced token.

    `logprob` is its natural log-probability at temperature 1 and `entropy` that of the distribution
    it comes from, in nats; both are 0.0 for a forced token.
    """

    id: int
    logprob: float
    forced: bool = False
    entropy: float = 0.0
