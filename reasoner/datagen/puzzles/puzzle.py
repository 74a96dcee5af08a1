"""Number puzzles: Countdown with three or four numbers, and the Game of 24.

A state is the numbers that are left, largest first. A move joins two of them. Intermediate results
are whole, above zero and at most `MAX_INTERMEDIATE_NUMBER`: with that, 99 % of the solvable
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
Join = tuple[int, str, int, int]
_OPERATIONS: tuple[tuple[str, Callable[[int, int], int]], ...] = (
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
        return _spelt(self.numbers)

    def moves(self, state: State) -> Sequence[Move]:
        return _moves(_numbers(state))

    def is_solved(self, state: State) -> bool:
        return state == self.expect

    def is_solvable(self, state: State) -> bool:
        return _alive(_numbers(state), self.target)

    def is_outcome_visible(self, state: State) -> bool:
        return state.count(" ") < 2

    def observation(self, state: State) -> str:
        """What is left, and, of two numbers, all that they can make."""
        numbers = _numbers(state)
        if len(numbers) == 1:
            return ""
        made = f", gives {_spelt(_results(numbers))}" if len(numbers) == 2 else ""
        return f", left {state}{made}"

    def reflection(self, state: State, believed_solvable: bool) -> str:
        if self.is_solved(state):
            return "solved"
        if self.is_outcome_visible(state):
            return "within reach" if believed_solvable else "out of reach"
        return "hopeful" if believed_solvable else "hopeless"

    def derivation(self, moves: Sequence[Move]) -> str:
        """The formula, unfolded from the last move backwards, one number at a time."""
        return "".join(f", so {formula}" for formula in _unfolded(moves)[1:])

    def answer(self, moves: Sequence[Move]) -> str:
        return self._reply.format(f=_unfolded(moves)[-1], t=self.target)

    def failure_reply(self) -> str:
        return f"I found no way to make {self.target}."


def sample_countdown(count: int, random: Random) -> NumberPuzzle:
    """A solvable puzzle; its target is the value of a formula over the numbers, drawn at random."""
    while True:
        highest = 100 if count == 3 else random.choice((13, 13, 20, 30, 100))
        numbers = [random.randint(1, highest) for _ in range(count)]
        target = _value(tuple(sorted(numbers, reverse=True)), random)
        if 2 <= target <= 99 and not is_game_of_24(numbers, target):
            return NumberPuzzle(f"countdown{count}", numbers, target, random)


def sample_game_of_24(random: Random) -> NumberPuzzle:
    """A solvable 24 with a number above 13: the Game of 24 itself is kept for measuring."""
    while True:
        numbers = [random.randint(1, 20) for _ in range(4)]
        if not is_game_of_24(numbers, 24) and _alive(tuple(sorted(numbers, reverse=True)), 24):
            return NumberPuzzle("make24", numbers, 24, random)


def is_game_of_24(numbers: Sequence[int], target: int) -> bool:
    return len(numbers) == 4 and target == 24 and max(numbers) <= 13


def _value(numbers: Numbers, random: Random) -> int:
    """Where a random walk over the moves ends, with a bias to sums that stay small."""
    while len(numbers) > 1:
        numbers = _numbers(random.choice(_moves(numbers)).state)
    return numbers[0]


def _numbers(state: State) -> Numbers:
    return tuple(map(int, state.split()))


def _spelt(numbers: Sequence[int]) -> State:
    return " ".join(map(str, numbers))


def _results(numbers: Numbers) -> tuple[int, ...]:
    return tuple(value for _, _, _, value in _joins(*numbers))


@lru_cache(1 << 16)
def _joins(a: int, b: int) -> tuple[Join, ...]:
    """All that two numbers (a ≥ b) make."""
    made = ((a, sign, b, operation(a, b)) for sign, operation in _OPERATIONS)
    return tuple(join for join in made if 0 < join[3] <= MAX_INTERMEDIATE_NUMBER)


@lru_cache(1 << 18)
def _steps(numbers: Numbers) -> tuple[tuple[Join, Numbers], ...]:
    """Every pair joined in every way, and what is left then; equal moves once."""
    found: dict[Join, Numbers] = {}
    for i, j in combinations(range(len(numbers)), 2):
        others = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        for join in _joins(numbers[i], numbers[j]):
            found[join] = tuple(sorted((*others, join[3]), reverse=True))
    return tuple(found.items())


def _moves(numbers: Numbers) -> tuple[Move, ...]:
    return tuple(
        Move(f"{a} {sign} {b} = {value}", _spelt(left))
        for (a, sign, b, value), left in _steps(numbers)
    )


@lru_cache(1 << 20)
def _alive(numbers: Numbers, target: int) -> bool:
    if len(numbers) == 1:
        return numbers[0] == target
    return any(_alive(left, target) for _, left in _steps(numbers))


_NUMBER_PATTERN = re.compile(r"\d+")


def _unfolded(moves: Sequence[Move]) -> list[str]:
    """The last move's formula, then with one result after the other replaced by its making."""
    made = [move.text.split(" = ") for move in moves]
    found = [made[-1][0]]
    for formula, value in reversed(made[:-1]):
        found.append(_replaced(found[-1], value, f"({formula})"))
    return found


def _replaced(text: str, value: str, formula: str) -> str:
    """`text` with the last number that is `value` replaced."""
    places = [match for match in _NUMBER_PATTERN.finditer(text) if match[0] == value]
    start, end = places[-1].span()
    return f"{text[:start]}{formula}{text[end:]}"
