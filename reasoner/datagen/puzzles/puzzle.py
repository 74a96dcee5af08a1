"""Number puzzles: Countdown with three or four numbers, and the Game of 24.

A state holds the remaining numbers, largest first. A move combines two of them. Intermediate
results are whole, above zero and at most `MAX_INTERMEDIATE_NUMBER`: with that, 99 % of the solvable
Countdown problems with three numbers up to 100, and all but 16 of the 1,362 solvable Games of 24,
still have a solution.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from random import Random

from reasoner.datagen.puzzles.task import Move, State
from reasoner.datagen.puzzles.wording import phrase_question

__all__ = [
    "MAX_INTERMEDIATE_NUMBER",
    "NumberPuzzle",
    "is_game_of_24",
    "sample_countdown",
    "sample_game_of_24",
]

MAX_INTERMEDIATE_NUMBER = 299
Numbers = tuple[int, ...]
Operation = tuple[int, str, int, int]
"""Two operands with their operator between them, and the result."""
_NUMBER_PATTERN = re.compile(r"\d+")
_OPERATORS: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    ("+", lambda a, b: a + b),
    ("-", lambda a, b: a - b),
    ("*", lambda a, b: a * b),
    ("/", lambda a, b: a // b if b > 1 and a % b == 0 else 0),
)


class NumberPuzzle:
    """Use each of the numbers once to make the target."""

    def __init__(self, kind: str, numbers: Sequence[int], target: int, random: Random) -> None:
        self.kind, self.target = kind, target
        self.numbers = tuple(sorted(numbers, reverse=True))
        self.question, self._reply = phrase_question(numbers, target, random)
        self.expect = str(target)

    @property
    def key(self) -> str:
        return f"{self.start} = {self.target}"

    @property
    def start(self) -> State:
        return _to_state(self.numbers)

    def moves(self, state: State) -> Sequence[Move]:
        return _moves(_numbers(state))

    def is_solved(self, state: State) -> bool:
        return state == self.expect

    def is_solvable(self, state: State) -> bool:
        return _is_solvable(_numbers(state), self.target)

    def is_outcome_visible(self, state: State) -> bool:
        return state.count(" ") < 2

    def observation(self, state: State) -> str:
        """Return the remaining numbers and, when they are two, all results of combining them."""
        numbers = _numbers(state)
        if len(numbers) == 1:
            return ""
        results = f", gives {_to_state(_results(numbers))}" if len(numbers) == 2 else ""
        return f", left {state}{results}"

    def reflection(self, state: State, believed_solvable: bool) -> str:
        if self.is_solved(state):
            return "solved"
        if self.is_outcome_visible(state):
            return "within reach" if believed_solvable else "out of reach"
        return "hopeful" if believed_solvable else "hopeless"

    def derivation(self, moves: Sequence[Move]) -> str:
        """Return the formulas that unfold the last move, one intermediate result after another."""
        return "".join(f", so {formula}" for formula in _unfolded_formulas(moves)[1:])

    def answer(self, moves: Sequence[Move]) -> str:
        return self._reply.format(f=_unfolded_formulas(moves)[-1], t=self.target)

    def failure_reply(self) -> str:
        return f"I found no way to make {self.target}."


def sample_countdown(count: int, random: Random) -> NumberPuzzle:
    """Sample a solvable puzzle of `count` numbers; its target is the value of a random formula."""
    while True:
        highest = 100 if count == 3 else random.choice((13, 13, 20, 30, 100))
        numbers = [random.randint(1, highest) for _ in range(count)]
        target = _random_result(tuple(sorted(numbers, reverse=True)), random)
        if 2 <= target <= 99 and not is_game_of_24(numbers, target):
            return NumberPuzzle(f"countdown{count}", numbers, target, random)


def sample_game_of_24(random: Random) -> NumberPuzzle:
    """Sample a solvable puzzle of four numbers with the target 24 and a number above 13.

    The Game of 24 itself, with numbers up to 13, is left to measurements.
    """
    while True:
        numbers = [random.randint(1, 20) for _ in range(4)]
        ordered = tuple(sorted(numbers, reverse=True))
        if not is_game_of_24(numbers, 24) and _is_solvable(ordered, 24):
            return NumberPuzzle("make24", numbers, 24, random)


def is_game_of_24(numbers: Sequence[int], target: int) -> bool:
    """Whether a puzzle is one of the Game of 24: four numbers up to 13."""
    return len(numbers) == 4 and target == 24 and max(numbers) <= 13


def _random_result(numbers: Numbers, random: Random) -> int:
    """Return the number that a sequence of random moves ends at."""
    while len(numbers) > 1:
        numbers = _numbers(random.choice(_moves(numbers)).state)
    return numbers[0]


def _numbers(state: State) -> Numbers:
    return tuple(map(int, state.split()))


def _to_state(numbers: Sequence[int]) -> State:
    return " ".join(map(str, numbers))


def _results(numbers: Numbers) -> tuple[int, ...]:
    return tuple(value for _, _, _, value in _operations(*numbers))


@lru_cache(1 << 16)
def _operations(a: int, b: int) -> tuple[Operation, ...]:
    """Return all operations on two numbers (a ≥ b) whose results are allowed."""
    operations = ((a, sign, b, function(a, b)) for sign, function in _OPERATORS)
    return tuple(
        operation for operation in operations if 0 < operation[3] <= MAX_INTERMEDIATE_NUMBER
    )


@lru_cache(1 << 18)
def _successors(numbers: Numbers) -> tuple[tuple[Operation, Numbers], ...]:
    """Return every operation on every pair with the numbers that remain; equal ones once."""
    remaining: dict[Operation, Numbers] = {}
    for i, j in combinations(range(len(numbers)), 2):
        others = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        for operation in _operations(numbers[i], numbers[j]):
            remaining[operation] = tuple(sorted((*others, operation[3]), reverse=True))
    return tuple(remaining.items())


def _moves(numbers: Numbers) -> tuple[Move, ...]:
    return tuple(
        Move(f"{a} {sign} {b} = {value}", _to_state(remaining))
        for (a, sign, b, value), remaining in _successors(numbers)
    )


@lru_cache(1 << 20)
def _is_solvable(numbers: Numbers, target: int) -> bool:
    if len(numbers) == 1:
        return numbers[0] == target
    return any(_is_solvable(remaining, target) for _, remaining in _successors(numbers))


def _unfolded_formulas(moves: Sequence[Move]) -> list[str]:
    """Return the last move's formula, and then the same with one more intermediate result replaced
    by the formula of its move each time."""
    equations = [move.text.split(" = ") for move in moves]
    formulas = [equations[-1][0]]
    for formula, value in reversed(equations[:-1]):
        formulas.append(_replace_last_number(formulas[-1], value, f"({formula})"))
    return formulas


def _replace_last_number(text: str, value: str, formula: str) -> str:
    """Return `text` with the last number that equals `value` replaced by `formula`."""
    matches = [match for match in _NUMBER_PATTERN.finditer(text) if match[0] == value]
    start, end = matches[-1].span()
    return f"{text[:start]}{formula}{text[end:]}"
