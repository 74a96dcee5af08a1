"""Right steps made wrong: a number or an operator is changed, what follows in the step recomputed.

Where no solution was sampled that goes wrong, this gives wrong steps for the price of reading
them. Nothing is evaluated but one operation on two numbers.
"""

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

__all__ = ["CorruptedStep", "corrupt_step"]

NUMBER_PATTERN = r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,4})?(?![\d.,]*\d)"
GAP_PATTERN = r"[ \t]{0,3}"
EQUATION_PATTERN = re.compile(
    rf"(?P<a>{NUMBER_PATTERN})(?P<op>{GAP_PATTERN}(?:[-+*/×÷x]|\\times|\\cdot|\\div){GAP_PATTERN}(?:\\?\$)?)"
    rf"(?P<b>{NUMBER_PATTERN})(?P<eq>{GAP_PATTERN}={GAP_PATTERN}(?:\\?\$)?)(?P<c>{NUMBER_PATTERN})"
)
OPERATOR_SPELLINGS = (("+",), ("-",), ("*", "×", "x", "\\times", "\\cdot"), ("/", "÷", "\\div"))
MAX_VALUE = 1e9
MAX_STEP_CHARS = 4000


class CorruptedStep(NamedTuple):
    """The step's text made wrong, and how: `result`, `operand`, `operator` or `figure`."""

    text: str
    flaw: str


def corrupt_step(step: str, context: str, random: Random) -> CorruptedStep | None:
    """`step` with one thing wrong in it, or None when it holds nothing to change.

    `context` is what was said before, the question first: a wrong operand comes from it.
    """
    if len(step) > MAX_STEP_CHARS:
        return None
    sound = [match for match in EQUATION_PATTERN.finditer(step) if _holds(match)]
    if not sound:
        return _figure(step, random)
    match = random.choice(sound)
    ways: list[tuple[str, Callable[[], str | None]]] = [
        ("result", lambda: _spelt(match, c=_near(_value(match["c"]), random))),
        ("operand", lambda: _other_operand(match, context, random)),
        ("operator", lambda: _other_operator(match, random)),
    ]
    random.shuffle(ways)
    for flaw, way in ways:
        if changed := way():
            return CorruptedStep(_replaced(step, match, changed), flaw)
    return None


def _figure(step: str, random: Random) -> CorruptedStep | None:
    """Another number where the step only states one."""
    found = list(re.finditer(NUMBER_PATTERN, step))
    listed = re.compile(r"^\s*$|[Ss]tep\s*$|\n\s*$|#\s*$")
    found = [match for match in found if not listed.search(step[: match.start()])]
    if not found:
        return None
    match = random.choice(found)
    new = _written(_near(_value(match[0]), random))
    return CorruptedStep(step[: match.start()] + new + step[match.end() :], "figure")


def _other_operand(match: re.Match[str], context: str, random: Random) -> str | None:
    """An operand that belongs elsewhere in the problem, with the result that follows from it."""
    place = random.choice("ab")
    known = {_value(number) for number in re.findall(NUMBER_PATTERN, context[-MAX_STEP_CHARS:])}
    known -= {_value(match[name]) for name in "abc"}
    for value in random.sample(sorted(known), len(known)):
        numbers = {"a": _value(match["a"]), "b": _value(match["b"]), place: value}
        result = _result(numbers["a"], _sign(match["op"]), numbers["b"])
        if _plausible(result) and result != _value(match["c"]):
            return _spelt(match, **{place: value, "c": result})
    return None


def _other_operator(match: re.Match[str], random: Random) -> str | None:
    """Another operation on the same numbers, with its result."""
    style = match["op"].strip().rstrip("$").rstrip("\\").strip()
    latex = style.startswith("\\")
    for sign in random.sample("+-*/", 4):
        result = _result(_value(match["a"]), sign, _value(match["b"]))
        if sign == _sign(match["op"]) or not _plausible(result) or result == _value(match["c"]):
            continue
        drawn = {"*": "\\times", "/": "\\div"}.get(sign, sign) if latex else sign
        return _spelt(match, op=match["op"].replace(style, drawn), c=result)
    return None


def _holds(match: re.Match[str]) -> bool:
    result = _result(_value(match["a"]), _sign(match["op"]), _value(match["b"]))
    return result is not None and abs(result - _value(match["c"])) < 0.006


def _spelt(match: re.Match[str], **changed: object) -> str:
    """The equation with some of its parts changed."""
    parts = [changed.get(name, match[name]) for name in ("a", "op", "b", "eq", "c")]
    return "".join(part if isinstance(part, str) else _written(part) for part in parts)


def _replaced(step: str, match: re.Match[str], changed: str) -> str:
    """The step with the changed equation; what repeats its result later says the new one."""
    new = changed.rsplit("=", 1)[1].strip().lstrip("\\$")
    old = re.compile(rf"(?<![\d.,]){re.escape(match['c'])}(?![\d.,]*\d)")
    return step[: match.start()] + changed + old.sub(new, step[match.end() :])


def _near(value: float, random: Random) -> float:
    """A wrong number that might have been meant."""
    steps = [1, -1, 2, -2, 10, -10, value, value * 9, -value / 2]
    wrong = [value + step for step in steps if step and 0 <= value + step < MAX_VALUE]
    return round(random.choice(wrong), 2)


def _sign(op: str) -> str:
    found = next(
        i for i, names in enumerate(OPERATOR_SPELLINGS) if any(name in op for name in names)
    )
    return "+-*/"[found]


def _result(left: float, sign: str, right: float) -> float | None:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right if right else None


def _plausible(result: float | None) -> bool:
    """Whether a person might have written the number down."""
    return result is not None and 0 <= result < MAX_VALUE and round(result, 2) == result


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _written(value: object) -> str:
    number = float(str(value))
    return str(int(number)) if number == int(number) else f"{number:.2f}".rstrip("0")
