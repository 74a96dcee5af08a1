"""The protocol of puzzles: problems whose every state a program can judge."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Move", "PuzzleTask", "State"]

State = str
"""The state of a partial solution in its canonical spelling: equal states are equal texts."""


class Move(NamedTuple):
    """One step of a solution: its text and the state it leads to."""

    text: str
    state: State


class PuzzleTask(Protocol):
    """One problem with its states and moves."""

    kind: str
    question: str
    expect: str
    """The answer that a check compares with; also the solved state's text."""

    @property
    def key(self) -> str:
        """A text that two problems share exactly when a solution of one solves the other."""

    @property
    def start(self) -> State:
        """The state of the question."""

    def moves(self, state: State) -> Sequence[Move]:
        """Return every move that may be tried in a state, wrong ones included."""

    def is_solved(self, state: State) -> bool:
        """Whether the state is a right answer."""

    def is_solvable(self, state: State) -> bool:
        """Whether a right answer can be reached from the state, found by exhaustive search."""

    def is_outcome_visible(self, state: State) -> bool:
        """Whether the state itself shows if it is solvable, without further moves."""

    def observation(self, state: State) -> str:
        """Return what the thought that led to the state adds about it; may be empty."""

    def reflection(self, state: State, believed_solvable: bool) -> str:
        """Return the text of a step's reflection for a belief about the state."""

    def derivation(self, moves: Sequence[Move]) -> str:
        """Return what the last thought adds, given the moves of the solution; may be empty."""

    def answer(self, moves: Sequence[Move]) -> str:
        """Return the reply for the moves of a solution."""

    def failure_reply(self) -> str:
        """Return the reply for a reasoning that stopped without a solution."""
