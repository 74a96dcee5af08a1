"""Corruption of right steps: a number or an operator is changed, and what depends on it in the step
is changed accordingly.

This makes wrong steps without sampling. Nothing is evaluated but one operation on two numbers.
"""

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

__all__ = ["CorruptedStep", "corrupt_step"]

NUMBER_PATTERN = r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,4})?(?![\d.,]*\d)"
GAP_PATTERN = r"[ \t]{0,3}"
OPERATOR_PATTERN = r"(?:[-+*/×÷x]|\\times|\\cdot|\\div)"
DOLLAR_PATTERN = r"(?:\\?\$)?"
EQUATION_PATTERN = re.compile(
    rf"(?P<a>{NUMBER_PATTERN})(?P<op>{GAP_PATTERN}{OPERATOR_PATTERN}{GAP_PATTERN}{DOLLAR_PATTERN})"
    rf"(?P<b>{NUMBER_PATTERN})(?P<eq>{GAP_PATTERN}={GAP_PATTERN}{DOLLAR_PATTERN})"
    rf"(?P<c>{NUMBER_PATTERN})"
)
OPERATOR_SPELLINGS = (("+",), ("-",), ("*", "×", "x", "\\times", "\\cdot"), ("/", "÷", "\\div"))
MAX_VALUE = 1e9
MAX_STEP_CHARS = 4000


class CorruptedStep(NamedTuple):
    """The text of a corrupted step, and what was changed: `result`, `operand`, `operator` or, in a
    step without an equation, `figure`."""

    text: str
    flaw: str


def corrupt_step(step: str, context: str, random: Random) -> CorruptedStep | None:
    """Return `step` with one error in it, or None when there is nothing to change.

    `context` is the text before the step, the question first; wrong operands are taken from it.
    """
    if len(step) > MAX_STEP_CHARS:
        return None
    true_equations = [match for match in EQUATION_PATTERN.finditer(step) if _is_true(match)]
    if not true_equations:
        return _corrupt_figure(step, random)
    match = random.choice(true_equations)
    corruptions: list[tuple[str, Callable[[], str | None]]] = [
        ("result", lambda: _rewritten(match, c=_plausible_error(_value(match["c"]), random))),
        ("operand", lambda: _with_other_operand(match, context, random)),
        ("operator", lambda: _with_other_operator(match, random)),
    ]
    random.shuffle(corruptions)
    for flaw, corrupt in corruptions:
        if equation := corrupt():
            return CorruptedStep(_replace_equation(step, match, equation), flaw)
    return None


def _corrupt_figure(step: str, random: Random) -> CorruptedStep | None:
    """Change a number in a step without a true equation; numbers of list items are left alone."""
    list_marker = re.compile(r"^\s*$|[Ss]tep\s*$|\n\s*$|#\s*$")
    numbers = [
        match
        for match in re.finditer(NUMBER_PATTERN, step)
        if not list_marker.search(step[: match.start()])
    ]
    if not numbers:
        return None
    match = random.choice(numbers)
    number = _number_text(_plausible_error(_value(match[0]), random))
    return CorruptedStep(step[: match.start()] + number + step[match.end() :], "figure")


def _with_other_operand(match: re.Match[str], context: str, random: Random) -> str | None:
    """Return the equation with an operand from elsewhere in the problem and the result of that."""
    place = random.choice("ab")
    numbers = {_value(number) for number in re.findall(NUMBER_PATTERN, context[-MAX_STEP_CHARS:])}
    numbers -= {_value(match[name]) for name in "abc"}
    for value in random.sample(sorted(numbers), len(numbers)):
        operands = {"a": _value(match["a"]), "b": _value(match["b"]), place: value}
        result = _result(operands["a"], _operator(match["op"]), operands["b"])
        if _is_plausible(result) and result != _value(match["c"]):
            return _rewritten(match, **{place: value, "c": result})
    return None


def _with_other_operator(match: re.Match[str], random: Random) -> str | None:
    """Return the equation with another operator and the result of that."""
    spelling = match["op"].strip().rstrip("$").rstrip("\\").strip()
    is_latex = spelling.startswith("\\")
    for operator in random.sample("+-*/", 4):
        result = _result(_value(match["a"]), operator, _value(match["b"]))
        if operator == _operator(match["op"]) or not _is_plausible(result):
            continue
        if result == _value(match["c"]):
            continue
        latex = {"*": "\\times", "/": "\\div"}.get(operator, operator)
        new_spelling = latex if is_latex else operator
        return _rewritten(match, op=match["op"].replace(spelling, new_spelling), c=result)
    return None


def _is_true(match: re.Match[str]) -> bool:
    """Whether an equation's result is right to the second decimal."""
    result = _result(_value(match["a"]), _operator(match["op"]), _value(match["b"]))
    return result is not None and abs(result - _value(match["c"])) < 0.006


def _rewritten(match: re.Match[str], **changes: object) -> str:
    """Return an equation's text with some of its groups changed."""
    groups = [changes.get(name, match[name]) for name in ("a", "op", "b", "eq", "c")]
    return "".join(group if isinstance(group, str) else _number_text(group) for group in groups)


def _replace_equation(step: str, match: re.Match[str], equation: str) -> str:
    """Return the step with another equation, and with its result wherever the old one follows."""
    new_result = equation.rsplit("=", 1)[1].strip().lstrip("\\$")
    old_result = re.compile(rf"(?<![\d.,]){re.escape(match['c'])}(?![\d.,]*\d)")
    return step[: match.start()] + equation + old_result.sub(new_result, step[match.end() :])


def _plausible_error(value: float, random: Random) -> float:
    """Return a wrong number that somebody might have written for `value`."""
    differences = [1, -1, 2, -2, 10, -10, value, value * 9, -value / 2]
    wrong_values = [
        value + difference
        for difference in differences
        if difference and 0 <= value + difference < MAX_VALUE
    ]
    return round(random.choice(wrong_values), 2)


def _operator(spelling: str) -> str:
    """Return the one of `+-*/` that a spelling means."""
    return next(
        operator
        for operator, names in zip("+-*/", OPERATOR_SPELLINGS, strict=True)
        if any(name in spelling for name in names)
    )


def _result(left: float, operator: str, right: float) -> float | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right if right else None


def _is_plausible(result: float | None) -> bool:
    """Whether a result is of the size and precision that people write down."""
    return result is not None and 0 <= result < MAX_VALUE and round(result, 2) == result


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _number_text(value: object) -> str:
    number = float(str(value))
    return str(int(number)) if number == int(number) else f"{number:.2f}".rstrip("0")
