"""Multi-step arithmetic: `(3 + 4) * 5 - 6`, worked out one operation at a time.

A wrong move is an operation that precedence or parentheses put later. Results are whole, not below
zero and at most `MAX_INTERMEDIATE_NUMBER`.
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
        return _is_solvable(state, self.expect)

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
    """Sample an expression of two to four numbers, sometimes with one pair in parentheses."""
    while True:
        tokens: list[str] = [str(random.randint(1, 20))]
        for _ in range(random.choice((1, 2, 2, 3))):
            tokens += [random.choice("+-*"), str(random.randint(1, 20))]
        if len(tokens) > 3 and random.random() < 0.5:
            start = 2 * random.randrange(len(tokens) // 2)
            tokens[start : start + 3] = ["(", *tokens[start : start + 3], ")"]
        expression = _to_state(tokens)
        if _is_solvable(expression, str(_value(expression))):
            return Arithmetic(expression, random)


def _to_state(tokens: Sequence[str]) -> State:
    return " ".join(tokens).replace("( ", "(").replace(" )", ")")


@lru_cache(1 << 16)
def _value(expression: State) -> int:
    """Return the value by the usual order of operations."""
    if (inner := re.search(r"\(([^()]+)\)", expression)) is not None:
        left, right = expression[: inner.start()], expression[inner.end() :]
        return _value(f"{left}{_value(inner[1])}{right}")
    tokens = expression.split()
    for operators in ("*", "+-"):
        index = 1
        while index < len(tokens):
            if tokens[index] in operators:
                tokens[index - 1 : index + 2] = [str(_result(*tokens[index - 1 : index + 2]))]
            else:
                index += 2
    return int(tokens[0])


def _result(left: str, operator: str, right: str) -> int:
    a, b = int(left), int(right)
    return a + b if operator == "+" else a - b if operator == "-" else a * b


@lru_cache(1 << 16)
def _moves(state: State) -> tuple[Move, ...]:
    """Return every operation on two neighbouring numbers, whether or not it is due."""
    tokens, moves = _TOKEN_PATTERN.findall(state), []
    for index in range(1, len(tokens) - 1):
        operation = tokens[index - 1 : index + 2]
        left, operator, right = operation
        if operator not in "+-*" or not (left.isdigit() and right.isdigit()):
            continue
        value = _result(left, operator, right)
        if 0 <= value <= MAX_INTERMEDIATE_NUMBER:
            new_tokens = [*tokens[: index - 1], str(value), *tokens[index + 2 :]]
            moves.append(Move(f"{' '.join(operation)} = {value}", _simplified(new_tokens)))
    return tuple(dict.fromkeys(moves))


def _simplified(tokens: list[str]) -> State:
    """Return the state without parentheses around a single number."""
    for index in range(len(tokens) - 2):
        if tokens[index] == "(" and tokens[index + 2] == ")":
            return _to_state([*tokens[:index], tokens[index + 1], *tokens[index + 3 :]])
    return _to_state(tokens)


@lru_cache(1 << 16)
def _is_solvable(state: State, expect: str) -> bool:
    if str(_value(state)) != expect:
        return False
    return state == expect or any(_is_solvable(move.state, expect) for move in _moves(state))
