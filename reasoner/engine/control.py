"""What may come next: the contract between the engine and whoever steers a sequence."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["FREE", "Allow", "Ban", "Constraint", "Controller", "Force", "Free", "Halt"]


@dataclass(frozen=True, slots=True)
class Free:
    """Any token."""


@dataclass(frozen=True, slots=True)
class Allow:
    """One of these tokens, at their own logits."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ban:
    """Any token but these."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Force:
    """Exactly these tokens, placed and not sampled."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing: the request ends here."""


Constraint = Free | Allow | Ban | Force | Halt
FREE = Free()


class Controller(Protocol):
    """A state machine over one sequence's new tokens, run on the engine's worker thread.

    `constrain` says what may come at this position; it may be asked twice for one position and
    must then answer the same. `accept` is told every token that was placed, forced ones too.
    """

    def constrain(self) -> Constraint: ...

    def accept(self, token: int) -> None: ...
