"""Solutions of an equation in one unknown, checked by putting them in."""

import re
from fractions import Fraction
from itertools import pairwise

from sympy_check.arithmetic import Checked, Judgement
from sympy_check.formulas import Side, chains, read_side

__all__ = ["check_solution", "excused", "gap", "root"]

MAX_DEGREE = 6
_ASKS = (
    r"(?i)\b(?:solve(?: for)?|find|what is|what are|determine|compute|values? of|"
    r"solutions? (?:for|of))(?: the| all| values?| of| for| solutions?| real| integer){0,4}"
    r" \W{0,3}%s\W{0,3}(?: ?$| ?[.?,:;]| (?:if|when|such|given|that|in|for|which|satisf|:))"
)
_SOLVE = re.compile(r"(?i)^\W*solve\b(?! for)")
_LOOSE = re.compile(r"(?i)\bround|\bnearest|\bapproximat|\bdecimal|\bmod\b|\bestimate|\bbase\b")
_SEPARATOR = re.compile(r"\\text ?\{ ?(?:and|or) ?\}|(?<![A-Za-z])(?:and|or)(?![A-Za-z])|[,;]")
_UNITS = {Fraction(n) for n in (7, 10, 12, 24, 60, 100, 365, 1000, 3600)}


def check_solution(question: str, final: str | None) -> Checked | None:
    """Put a final answer into the one equation a question wants solved.

    None when the question is not of that kind, when a rounded value is asked for, or when some
    solutions may be missing.
    """
    asked = _asked(question)
    if asked is None or final is None:
        return None
    equation, name = asked
    values = _values(final, name)
    if not values:
        return None
    shown = f"{name} = {', '.join(v.text for v in values)} in {_text(equation)}"
    for value in values:
        said = value.at({})
        left_over = gap(equation, name, said)
        if said is None or left_over is None:
            return None
        if left_over != 0:
            return _wrong(equation, name, value, said, shown)
    first = values[0].at({})
    distinct = {value.at({}) for value in values}
    complete = _degree(equation, name) == len(distinct)
    return Checked(shown, Judgement.HOLDS, first, first) if complete else None


def _wrong(
    equation: tuple[Side, Side], name: str, value: Side, said: Fraction, shown: str
) -> Checked | None:
    true = root(equation, name)
    if value.places or (true is not None and excused(true, said, value)):
        return None
    left, right = (side.at({name: said}) for side in equation)
    note = f"{name} is {true}" if true is not None else f"at {name} = {said}: {left} and {right}"
    return Checked(shown, Judgement.WRONG, said, note=note)


def _asked(question: str) -> tuple[tuple[Side, Side], str] | None:
    """The equation to solve and its unknown, when the question holds no other formula."""
    found = list(chains(question))
    if len(found) != 1 or len(found[0].sides) != 2 or _LOOSE.search(question):
        return None
    left, right = found[0].sides
    if left is None or right is None:
        return None
    names = {*left.variables, *right.variables}
    if len(names) != 1:
        return None
    (name,) = names
    asks = re.search(_ASKS % re.escape(name), question) or _SOLVE.search(question)
    return ((left, right), name) if asks else None


def _values(final: str, name: str) -> list[Side]:
    """The values a final answer gives; none when one of them is no number."""
    text = re.sub(r"\\[{}]", " ", final)
    sides = []
    for part in _SEPARATOR.split(text[:500]):
        value = re.sub(rf"^\W*{re.escape(name)}(?:_\{{?\d\}}?)? ?= ?", "", part.strip(" $."))
        side = read_side(value.strip(" $")) if value else None
        if side is None or side.variables:
            return []
        sides.append(side)
    return sides


def gap(equation: tuple[Side, Side], name: str, value: Fraction | None) -> Fraction | None:
    """Left less right side at a value; None where one of them has none."""
    if value is None:
        return None
    left, right = (side.at({name: value}) for side in equation)
    return None if left is None or right is None else left - right


def root(equation: tuple[Side, Side], name: str) -> Fraction | None:
    """The one solution of a linear equation; None for any other."""
    if _degree(equation, name) != 1:
        return None
    zero, one = (gap(equation, name, Fraction(n)) for n in (0, 1))
    return None if zero is None or one is None else -zero / (one - zero)


def excused(true: Fraction, said: Fraction, value: Side) -> bool:
    """Whether rounding or a change of units explains another value."""
    step = Fraction(1, 10**value.places)
    if abs(true - said) < (step if value.places or true.denominator != 1 else 0):
        return True
    ratio = abs(true / said) if true and said else Fraction(0)
    return ratio in _UNITS or (ratio != 0 and 1 / ratio in _UNITS)


def _degree(equation: tuple[Side, Side], name: str) -> int | None:
    """The degree of a polynomial equation, by differences; None for what is no polynomial."""
    values = [gap(equation, name, Fraction(n)) for n in range(MAX_DEGREE + 3)]
    row = [value for value in values if value is not None]
    if len(row) < len(values):
        return None
    for degree in range(-1, MAX_DEGREE + 1):
        if not any(row):
            return degree
        row = [b - a for a, b in pairwise(row)]
    return None


def _text(equation: tuple[Side, Side]) -> str:
    return f"{equation[0].text} = {equation[1].text}"
