"""Constraints on the next token, and the controller that returns them."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["FREE", "Allow", "Ban", "Constraint", "Controller", "Force", "Free", "Halt"]


@dataclass(frozen=True, slots=True)
class Free:
    """Any token."""


@dataclass(frozen=True, slots=True)
class Allow:
    """Sample among these tokens at their own logits."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ban:
    """Any token except these."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Force:
    """Append exactly these tokens without sampling."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Halt:
    """End the request here."""


Constraint = Free | Allow | Ban | Force | Halt
FREE = Free()


class Controller(Protocol):
    """A state machine over one sequence's new tokens, run on the engine's worker thread.

    `constrain` returns the constraint at the current position; a second call at the same position
    must return the same. `accept` is called with every appended token, also the forced ones.
    """

    def constrain(self) -> Constraint: ...

    def accept(self, token: int) -> None: ...
