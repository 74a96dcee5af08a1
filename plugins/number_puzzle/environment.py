"""The environment of a number puzzle: each step combines two numbers, until one remains.

The model writes a step with its result, such as `11-7=4`. This module implements the rules: which
numbers remain, whether a step is valid, and the formula that a sequence of steps amounts to. It
searches for nothing and computes nothing that the model did not write. The step format is that of
Tree of Thoughts (arXiv:2305.10601).
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from number_puzzle.puzzle import PuzzleQuestion, recognise_puzzle
from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Message, Problem
from reasoner.types.verdict import Outcome, Verdict

__all__ = ["describe_environment"]

NAME = "number_puzzle"
OPERATIONS = 6
"""The operations on two numbers: sum, product, two differences, two quotients."""
MAX_NUMBERS = 6
MAX_STEP_CHARACTERS = 60
RULE = "Combine two of the numbers at a time, until all are used and {target} is left."
GAME_24 = (
    ("4 4 6 8", 24, "8+4=12", "6-4=2", "12*2=24"),
    ("2 9 10 12", 24, "12*2=24", "10-9=1", "24*1=24"),
    ("3 6 10 11", 24, "11+10=21", "6-3=3", "21+3=24"),
    ("4 9 10 13", 24, "13-10=3", "9-3=6", "6*4=24"),
    ("4 5 7 9", 24, "9*4=36", "7+5=12", "36-12=24"),
    ("1 4 8 8", 24, "8/4=2", "2+1=3", "8*3=24"),
    ("2 4 6 8", 24, "8*6=48", "4-2=2", "48/2=24"),
    ("1 2 6 9", 24, "9*2=18", "6*1=6", "18+6=24"),
)
COUNTDOWN = (
    ("4 19 25", 40, "25+19=44", "44-4=40"),
    ("3 8 50", 74, "8*3=24", "50+24=74"),
    ("9 27 33", 54, "33-27=6", "9*6=54"),
    ("2 16 48", 5, "48/16=3", "3+2=5"),
    ("11 30 75", 56, "75+11=86", "86-30=56"),
    ("2 3 5 90", 33, "5-2=3", "90/3=30", "30+3=33"),
)
_NUMBER = r"(-?\d{1,9}(?:\.\d{1,6})?)"
_STEP = re.compile(rf"{_NUMBER} ?([-+*/]) ?{_NUMBER} ?= ?{_NUMBER}", re.ASCII)


class InvalidStep(ValueError):
    """A step is invalid; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A remaining number, and the formula that computes it."""

    value: Fraction
    formula: str

    def __str__(self) -> str:
        if self.value.denominator == 1:
            return str(self.value)
        return f"{float(self.value):.6f}".rstrip("0")


Numbers = tuple[Number, ...]


@hookimpl
def describe_environment(problem: Problem, steps: tuple[str, ...]) -> EnvironmentState | None:
    """Return the state after `steps`, or why the last step is invalid.

    Returns None when the question is no number puzzle.
    """
    puzzle = recognise_puzzle(problem.question)
    if puzzle is None or not 2 <= len(puzzle.numbers) <= MAX_NUMBERS:
        return None
    numbers = initial_numbers(puzzle.numbers)
    refuted, answer = None, ""
    try:
        for step in steps:
            numbers = apply_step(numbers, step)
        answer = _answer(numbers, puzzle)
    except InvalidStep as error:
        refuted = Verdict(verifier=NAME, outcome=Outcome.FAIL, score=0.0, reason=str(error))
    return EnvironmentState(
        prompt_problem=_prompt(puzzle),
        state=format_numbers(numbers),
        choice_count=max(1, len(numbers) * (len(numbers) - 1) // 2 * OPERATIONS),
        refutation=refuted,
        answer=answer,
    )


def initial_numbers(numbers: tuple[int, ...]) -> Numbers:
    """Return the numbers at the start, in ascending order."""
    return _sorted([Number(Fraction(number), str(number)) for number in numbers])


def format_numbers(numbers: Numbers) -> str:
    """Return the numbers as text, in ascending order."""
    return " ".join(map(str, numbers))


def apply_step(numbers: Numbers, step: str) -> Numbers:
    """Return the numbers that remain after a step. Raises InvalidStep when it is invalid."""
    match = _STEP.fullmatch(step.strip()) if len(step) <= MAX_STEP_CHARACTERS else None
    if match is None:
        raise InvalidStep("not a step such as 11-7=4")
    first, rest = _removed(numbers, Fraction(match[1]))
    second, rest = _removed(rest, Fraction(match[3]))
    value = _result(first.value, match[2], second.value)
    if value is None:
        raise InvalidStep(f"{step.strip()} divides by zero")
    if value != Fraction(match[4]):
        raise InvalidStep(f"{first}{match[2]}{second} is not {match[4]}")
    formula = f"({first.formula} {match[2]} {second.formula})"
    return _sorted([*rest, Number(value, formula)])


def _removed(numbers: Numbers, value: Fraction) -> tuple[Number, Numbers]:
    for index, number in enumerate(numbers):
        if number.value == value:
            return number, numbers[:index] + numbers[index + 1 :]
    raise InvalidStep(f"{Number(value, '')} is not among the numbers left")


def _result(left: Fraction, sign: str, right: Fraction) -> Fraction | None:
    if sign == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def _sorted(numbers: list[Number]) -> Numbers:
    return tuple(sorted(numbers, key=lambda number: number.value))


def _answer(numbers: Numbers, puzzle: PuzzleQuestion) -> str:
    """Return the formula when only the target remains, and "" before.

    Raises InvalidStep when another number remains.
    """
    if len(numbers) > 1:
        return ""
    if numbers[0].value != puzzle.target:
        raise InvalidStep(f"{numbers[0]} is left, not {puzzle.target}")
    return f"{numbers[0].formula[1:-1]} = {puzzle.target}"


def _prompt(puzzle: PuzzleQuestion) -> Problem:
    """Return the puzzle after solved ones, which show the model how to write steps."""
    turns: list[Message] = []
    for numbers, target, *steps in GAME_24 if puzzle.target == 24 else COUNTDOWN:
        turns += [
            _turn(numbers, target),
            Message(role="assistant", content=_solved(numbers, steps)),
        ]
    question = _turn(format_numbers(initial_numbers(puzzle.numbers)), puzzle.target)
    rule = RULE.format(target=puzzle.target)
    return Problem(question=question.content, system=rule, history=tuple(turns))


def _turn(numbers: str, target: int) -> Message:
    return Message(role="user", content=f"{numbers} make {target}")


def _solved(numbers: str, steps: list[str]) -> str:
    """Return the steps as the model writes and sees them, each with the remaining numbers."""
    remaining = initial_numbers(tuple(map(int, numbers.split())))
    lines = []
    for step in steps:
        remaining = apply_step(remaining, step)
        lines += [step, format_numbers(remaining)]
    return "\n".join(lines[:-1])
