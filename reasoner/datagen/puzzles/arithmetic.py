"""Multi-step arithmetic: `(3 + 4) * 5 - 6`, worked out one operation at a time.

A wrong turn is an operation done before its time. Results are whole, not below zero and at most
`MAX_INTERMEDIATE_NUMBER`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from reasoner.datagen.puzzles.puzzle import MAX_INTERMEDIATE_NUMBER
from reasoner.datagen.puzzles.task import Move, State

__all__ = ["Arithmetic", "sample_arithmetic"]

_TOKEN_PATTERN = re.compile(r"\d+|[-+*()]")
QUESTION_TEMPLATES = (
    "What is {e}?",
    "Compute {e}",
    "Calculate {e}.",
    "Work out {e}",
    "{e} = ?",
    "How much is {e}?",
    "Evaluate {e}",
)


class Arithmetic:
    """One expression of small whole numbers."""

    kind = "arithmetic"

    def __init__(self, expression: str, random: Random) -> None:
        self._start = expression
        self.question = random.choice(QUESTION_TEMPLATES).format(e=expression)
        self.expect = str(_value(expression))

    @property
    def key(self) -> str:
        return self._start

    @property
    def start(self) -> State:
        return self._start

    def moves(self, state: State) -> Sequence[Move]:
        return _moves(state)

    def is_solved(self, state: State) -> bool:
        return state == self.expect

    def is_solvable(self, state: State) -> bool:
        return _alive(state, self.expect)

    def is_outcome_visible(self, state: State) -> bool:
        return True

    def observation(self, state: State) -> str:
        return "" if state.isdigit() else f", left {state}"

    def reflection(self, state: State, believed_solvable: bool) -> str:
        if self.is_solved(state):
            return "solved"
        return "right so far" if believed_solvable else "wrong order"

    def derivation(self, moves: Sequence[Move]) -> str:
        return ""

    def answer(self, moves: Sequence[Move]) -> str:
        return f"The answer is {self.expect}."

    def failure_reply(self) -> str:
        return "I could not work it out."


def sample_arithmetic(random: Random) -> Arithmetic:
    """An expression of three or four numbers, sometimes with one pair in parentheses."""
    while True:
        pieces: list[str] = [str(random.randint(1, 20))]
        for _ in range(random.choice((1, 2, 2, 3))):
            pieces += [random.choice("+-*"), str(random.randint(1, 20))]
        if len(pieces) > 3 and random.random() < 0.5:
            at = 2 * random.randrange(len(pieces) // 2)
            pieces[at : at + 3] = ["(", *pieces[at : at + 3], ")"]
        expression = _spelt(pieces)
        if _alive(expression, str(_value(expression))):
            return Arithmetic(expression, random)


def _spelt(pieces: Sequence[str]) -> State:
    return " ".join(pieces).replace("( ", "(").replace(" )", ")")


def _pieces(state: State) -> list[str]:
    return _TOKEN_PATTERN.findall(state)


@lru_cache(1 << 16)
def _value(expression: State) -> int:
    """The value by the usual order of operations."""
    if (inner := re.search(r"\(([^()]+)\)", expression)) is not None:
        before, after = expression[: inner.start()], expression[inner.end() :]
        return _value(f"{before}{_value(inner[1])}{after}")
    pieces = expression.split()
    for signs in ("*", "+-"):
        at = 1
        while at < len(pieces):
            if pieces[at] in signs:
                pieces[at - 1 : at + 2] = [str(_joined(*pieces[at - 1 : at + 2]))]
            else:
                at += 2
    return int(pieces[0])


def _joined(left: str, sign: str, right: str) -> int:
    a, b = int(left), int(right)
    return a + b if sign == "+" else a - b if sign == "-" else a * b


@lru_cache(1 << 16)
def _moves(state: State) -> tuple[Move, ...]:
    """Every operation between two neighbours, in or out of turn."""
    pieces, found = _pieces(state), []
    for at in range(1, len(pieces) - 1):
        around = pieces[at - 1 : at + 2]
        if around[1] not in "+-*" or not (around[0].isdigit() and around[2].isdigit()):
            continue
        value = _joined(*around)
        if 0 <= value <= MAX_INTERMEDIATE_NUMBER:
            left = [*pieces[: at - 1], str(value), *pieces[at + 2 :]]
            found.append(Move(f"{' '.join(around)} = {value}", _bare(left)))
    return tuple(dict.fromkeys(found))


def _bare(pieces: list[str]) -> State:
    """Without parentheses around a lone number."""
    for at in range(len(pieces) - 2):
        if pieces[at] == "(" and pieces[at + 2] == ")":
            return _spelt([*pieces[:at], pieces[at + 1], *pieces[at + 3 :]])
    return _spelt(pieces)


@lru_cache(1 << 16)
def _alive(state: State, expect: str) -> bool:
    if str(_value(state)) != expect:
        return False
    return state == expect or any(_alive(move.state, expect) for move in _moves(state))
