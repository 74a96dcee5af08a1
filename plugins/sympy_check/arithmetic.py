"""Judging the equations that steps state, exactly, and in doubt for the writer.

A wrong refutation is far worse than a missed slip: an equation is refuted only when no rounding,
percentage, unit or retraction could explain it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from sympy_check.equations import Statement, statements
from sympy_check.evaluate import TooLarge
from sympy_check.expression import Expression

__all__ = ["Checked", "Judgement", "check_text", "retracted"]

MAX_EQUATIONS = 500
_PERCENTS = (Fraction(1, 100), Fraction(1))
_RETRACTED = re.compile(
    r"(?i)\b(?:not|isn't|doesn't|don't|wrong|incorrect(?:ly)?|mistake|error|instead|false|"
    r"contradict\w*|suppose|assum\w+|guess\w*|wait|oops|actually|impossible|mod|modulo|base|"
    r"hypothetical\w*|invalid|try|too (?:high|low|big|small))\b|[≠?≡]|\\neq|\\ne\b|\\pmod|n't\b"
)
_MEASURES = {
    "second seconds sec secs s": "s",
    "minute minutes min mins": "min",
    "hour hours hr hrs": "h",
    "day days": "d",
    "week weeks": "w",
    "month months": "mo",
    "year years": "y",
    "inch inches in": "in",
    "foot feet ft": "ft",
    "yard yards yd yds": "yd",
    "mile miles mi": "mi",
    "cm centimeter centimeters": "cm",
    "mm millimeter millimeters": "mm",
    "m meter meters metre metres": "m",
    "km kilometer kilometers": "km",
    "g gram grams": "g",
    "kg kilogram kilograms": "kg",
    "ounce ounces oz": "oz",
    "pound pounds lb lbs": "lb",
    "ton tons": "t",
    "cent cents penny pennies": "ct",
    "dollar dollars": "$",
    "nickel nickels": "5ct",
    "dime dimes": "10ct",
    "ml milliliter milliliters": "ml",
    "liter liters l": "l",
    "cup cups": "cup",
    "pint pints": "pt",
    "quart quarts": "qt",
    "gallon gallons": "gal",
    "square sq": "²",
    "cubic": "³",
    "degrees degree": "°",
}
_MEASURE = {word: unit for words, unit in _MEASURES.items() for word in words.split()}
_FACTORS = {60, 3600, 24, 7, 365, 52, 12, 100, 1000, 10, 36, 3, 5280, 16, 2000, 4, 1440, 30, 1760}
_FACTORS |= {5, 20, 25, 2, 8, 1_000_000, 10_000, 144, 168}


class Judgement(StrEnum):
    HOLDS = "holds"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Checked:
    """One equation, its judgement, and the exact values of its sides (None when not computed).

    `key` names what was worked out, so that a slip can be put right; `note` says what is true.
    """

    text: str
    judgement: Judgement
    left: Fraction | None = None
    right: Fraction | None = None
    key: str = ""
    note: str = ""


def check_text(text: str) -> list[Checked]:
    """Judge every equation between plain numbers, with at least one operation, in one step."""
    checked = []
    for statement in statements(text):
        if statement.left.operations + statement.right.operations:
            checked.append(_check(statement, text))
        if len(checked) >= MAX_EQUATIONS:
            break
    return checked


def _check(statement: Statement, text: str) -> Checked:
    shown = " ".join(statement.text.split())[:200]
    try:
        pairs = [
            (statement.left.value(left), statement.right.value(right))
            for left in (_PERCENTS if statement.left.percent else _PERCENTS[:1])
            for right in (_PERCENTS if statement.right.percent else _PERCENTS[:1])
        ]
    except (TooLarge, ZeroDivisionError):
        return Checked(shown, Judgement.SKIPPED)
    key = text[statement.left.start : statement.left.end].replace(" ", "")
    for left, right in pairs:
        if _agrees(statement, left, right):
            return Checked(shown, Judgement.HOLDS, left, right, key)
    left, right = pairs[0]
    wrong = not _excused(statement, pairs, text)
    return Checked(shown, Judgement.WRONG if wrong else Judgement.SKIPPED, left, right, key)


def _agrees(statement: Statement, left: Fraction, right: Fraction) -> bool:
    """Equal, or rounded or cut to the digits that the right (or left) side shows."""
    if left == right:
        return True
    for shown in (statement.right, statement.left):
        if shown.bare and (shown.numbers[0].places or statement.approximate):
            unit = Fraction(1, 10 ** shown.numbers[0].places)
            if abs(left - right) < (unit if shown.numbers[0].places else unit / 2):
                return True
    return False


def _excused(statement: Statement, pairs: Sequence[tuple[Fraction, Fraction]], text: str) -> bool:
    """Whether anything but a slip could explain that no reading of the equation holds."""
    if statement.doubtful or retracted(text, statement.start, statement.end):
        return True
    if _label(statement.left) or _units_differ(statement):
        return True
    return any(_numbers_excused(statement, left, right) for left, right in pairs)


def _numbers_excused(statement: Statement, left: Fraction, right: Fraction) -> bool:
    return (
        _rounded(statement, left, right)
        or _runs_on(statement, left)
        or _cut_out(statement, left, right)
        or _converts(statement, left, right)
    )


def retracted(text: str, start: int, end: int) -> bool:
    """Whether words around `start:end` take back or only suppose what stands there."""
    return _RETRACTED.search(text[max(0, start - 80) : end + 80]) is not None


def _label(left: Expression) -> bool:
    """ "Cost of 5 pens = 5 * 2": the left side names what the right side computes."""
    return left.operations == 0 and bool(left.units)


def _units_differ(statement: Statement) -> bool:
    """Different things are added, or several measures meet, or words define what is computed."""
    left, right = statement.left, statement.right
    if left.units and right.operations:
        return True
    for side in (left, right):
        named = {_unit(token.units) for token in side.numbers if token.units}
        if side.additions and len(named) > 1:
            return True
        if side.additions and side.percent:
            return True
    measures = {_MEASURE[unit] for unit in [*left.units, *right.units] if unit in _MEASURE}
    if left.currency or right.currency:
        measures |= {"$"} & ({"$"} if "ct" in measures else set())
    return len(measures) > 1


def _unit(words: Sequence[str]) -> str:
    return words[0].rstrip("s")


def _rounded(statement: Statement, left: Fraction, right: Fraction) -> bool:
    """A whole number for a fraction, an approximation, or operands that were rounded before."""
    difference = abs(left - right)
    whole = right.denominator == 1 and left.denominator != 1
    if (whole or left.denominator == 1 != right.denominator) and difference < 1:
        return True
    if statement.approximate and difference <= abs(left) / 10:
        return True
    slack = _slack(statement.left) + _slack(statement.right)
    return difference <= slack


def _slack(side: Expression) -> Fraction:
    """How far the value moves when each decimal is off by half of its last digit."""
    slack = Fraction(0)
    for index, token in enumerate(side.numbers):
        if token.places:
            step = Fraction(1, 2 * 10**token.places)
            try:
                moved = side.value(at=index, by=step), side.value(at=index, by=-step)
            except (TooLarge, ZeroDivisionError):
                continue
            slack += max(abs(value - side.value()) for value in moved)
    return slack


def _runs_on(statement: Statement, left: Fraction) -> bool:
    """`3 + 4 = 7 - 2 = 5`: the right side starts from the left's value and goes on."""
    right = statement.right
    return right.operations > 0 and bool(right.numbers) and right.numbers[0].value == left


def _cut_out(statement: Statement, left: Fraction, right: Fraction) -> bool:
    """`Day 1 - 5 * 2 = 10`: without its first number the left side would be right."""
    numbers = statement.left.numbers
    if statement.left.operations < 2 or not statement.left.additions:
        return False
    first = numbers[0].value
    return right in (left - first, first - left, left + first)


def _converts(statement: Statement, left: Fraction, right: Fraction) -> bool:
    """A factor between the sides that a change of units or a percentage would explain."""
    if not left or not right:
        return False
    ratio = abs(left / right)
    ratio = ratio if ratio > 1 else 1 / ratio
    units = [*statement.left.units, *statement.right.units]
    measured = any(unit in _MEASURE for unit in units)
    percent = statement.left.percent or statement.right.percent
    if abs(ratio - 100) < 1 or ratio in (1000, 1_000_000):  # percent; thousands and millions
        return True
    return ratio.denominator == 1 and int(ratio) in _FACTORS and (measured or percent)
