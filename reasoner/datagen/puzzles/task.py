"""A problem whose every state a program can judge: what a pipeline asks of a kind of problem."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Move", "PuzzleTask", "State"]

State = str
"""Where a solution stands, in its one canonical spelling: equal states are equal texts."""


class Move(NamedTuple):
    """One step of a solution: what is written, and the state it leads to."""

    text: str
    state: State


class PuzzleTask(Protocol):
    """One problem with its states and moves."""

    kind: str
    question: str
    expect: str
    """What a check compares the answer with."""

    @property
    def key(self) -> str:
        """The same for two problems exactly when one gives the other away."""

    @property
    def start(self) -> State: ...

    def moves(self, state: State) -> Sequence[Move]:
        """Every step that may be tried here, wrong turns included."""

    def is_solved(self, state: State) -> bool: ...

    def is_solvable(self, state: State) -> bool:
        """Whether a right answer can still be reached; found by exhaustive search."""

    def is_outcome_visible(self, state: State) -> bool:
        """Whether `alive` can be seen at a glance, or must be guessed until it is tried."""

    def observation(self, state: State) -> str:
        """What a look at the state adds to the thought that led there; may be empty."""

    def reflection(self, state: State, believed_solvable: bool) -> str:
        """The reflection on the state for one who takes it for alive, or for dead."""

    def derivation(self, moves: Sequence[Move]) -> str:
        """What the last thought adds, from the moves that led to the answer; may be empty."""

    def answer(self, moves: Sequence[Move]) -> str:
        """The reply for the moves that led to the answer."""

    def failure_reply(self) -> str:
        """The reply when thinking had to stop without an answer."""
