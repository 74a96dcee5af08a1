"""Linear equations in one unknown: `3x + 5 = 20`, solved one change of both sides at a time.

Wrong moves are usual errors: the wrong sign, and subtraction in place of division.
"""

import re
from collections.abc import Sequence
from random import Random

from reasoner.datagen.puzzles.puzzle import MAX_INTERMEDIATE_NUMBER
from reasoner.datagen.puzzles.task import Move, State

__all__ = ["Equation", "sample_equation"]

_EQUATION_PATTERN = re.compile(r"(\d*)x(?: ([-+]) (\d+))? = (\d+)")
QUESTION_TEMPLATES = (
    "Solve {e}",
    "Solve {e} for x.",
    "Solve the equation {e}",
    "What is x if {e}?",
    "Find x: {e}",
    "{e}. What is x?",
)


class Equation:
    """One equation with a whole solution above zero."""

    kind = "equation"

    def __init__(self, text: str, solution: int, random: Random) -> None:
        self._start, self._solution = text, solution
        self.question = random.choice(QUESTION_TEMPLATES).format(e=text)
        self.expect = f"x = {solution}"

    @property
    def key(self) -> str:
        return self._start

    @property
    def start(self) -> State:
        return self._start

    def moves(self, state: State) -> Sequence[Move]:
        factor, shift, value = _parse_state(state)
        if shift:
            return _shifts(factor, shift, value)
        return _divisions(factor, value) if factor > 1 else ()

    def is_solved(self, state: State) -> bool:
        return state == self.expect

    def is_solvable(self, state: State) -> bool:
        factor, shift, value = _parse_state(state)
        return factor * self._solution + shift == value

    def is_outcome_visible(self, state: State) -> bool:
        return True

    def observation(self, state: State) -> str:
        return ""

    def reflection(self, state: State, believed_solvable: bool) -> str:
        if self.is_solved(state):
            return "solved"
        return "sound" if believed_solvable else "not sound"

    def derivation(self, moves: Sequence[Move]) -> str:
        return ""

    def answer(self, moves: Sequence[Move]) -> str:
        return self.expect

    def failure_reply(self) -> str:
        return "I could not solve it."


def sample_equation(random: Random) -> Equation:
    """Sample an equation `ax + b = c` with a whole solution."""
    while True:
        factor, solution = random.randint(1, 12), random.randint(1, 20)
        shift = random.randint(-40, 40)
        value = factor * solution + shift
        if 0 < value <= MAX_INTERMEDIATE_NUMBER and (factor > 1 or shift):
            return Equation(_to_state(factor, shift, value), solution, random)


def _parse_state(state: State) -> tuple[int, int, int]:
    """Return factor, shift and value of `ax + b = c`."""
    match = _EQUATION_PATTERN.fullmatch(state)
    assert match is not None
    shift = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
    return int(match[1] or 1), shift, int(match[4])


def _to_state(factor: int, shift: int, value: int) -> State:
    left_side = f"{factor if factor > 1 else ''}x"
    if shift:
        left_side += f" {'+' if shift > 0 else '-'} {abs(shift)}"
    return f"{left_side} = {value}"


def _shifts(factor: int, shift: int, value: int) -> list[Move]:
    """Return the moves that subtract the shift (right) and that add it once more (wrong)."""
    moves = []
    for change in (-shift, shift):
        if 0 < value + change <= MAX_INTERMEDIATE_NUMBER:
            state = _to_state(factor, 0, value + change)
            verb = "add" if change > 0 else "subtract"
            moves.append(Move(f"{verb} {abs(change)} : {state}", state))
    return moves


def _divisions(factor: int, value: int) -> list[Move]:
    """Return the moves that divide by the factor (right) and that subtract it (wrong)."""
    moves = []
    if value % factor == 0:
        state = _to_state(1, 0, value // factor)
        moves.append(Move(f"divide by {factor} : {state}", state))
    if value > factor:
        state = _to_state(1, 0, value - factor)
        moves.append(Move(f"subtract {factor} : {state}", state))
    return moves
