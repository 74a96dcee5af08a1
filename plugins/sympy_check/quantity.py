"""Numbers with units, compared exactly.

A number without a unit leaves the unit to the question, so 42 and "42 apples", 20 and "20%" are
equal; 0.5 and 50% are the same number; 50 and 0.5 are not.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from sympy_check.equations import attach_units
from sympy_check.evaluate import TooLarge
from sympy_check.expression import NotArithmetic, parse_whole
from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, undecided
from sympy_check.tokens import Kind, tokenize

__all__ = ["Quantity", "compare_quantities", "quantity", "unit_factor"]

_DAY = 86400
_TABLE: dict[str, tuple[str, Fraction]] = {}
for _dimension, _factors in {
    "time": {"second sec s": 1, "minute min": 60, "hour hr h": 3600, "day": _DAY, "week": 7 * _DAY},
    "length": {
        "mm millimeter": 1,
        "cm centimeter": 10,
        "meter metre m": 1000,
        "km kilometer": 10**6,
    },
    "imperial length": {"inch inche in": 1, "foot feet ft": 12, "yard yd": 36, "mile mi": 63360},
    "mass": {"mg milligram": 1, "gram g": 1000, "kg kilogram": 10**6},
    "imperial mass": {"ounce oz": 1, "pound lb": 16, "ton": 32000},
    "volume": {"ml milliliter": 1, "liter litre l": 1000},
    "imperial volume": {"cup": 1, "pint pt": 2, "quart qt": 4, "gallon gal": 16},
    "dollars": {"cent penny pennie ¢": 1, "dollar $ usd": 100},
    "euros": {"€ euro": 1},
    "pounds sterling": {"£": 1},
    "yen": {"¥ yen": 1},
    "rupees": {"₹ rupee": 1},
    "angle": {"degree deg": 1},
}.items():
    for _names, _factor in _factors.items():
        for _name in _names.split():
            _TABLE[_name] = (_dimension, Fraction(_factor))
_LETTER_UNIT = re.compile(r"(?<=[\d}]) (?:\\text ?)?\{? ?([gmshlL]) ?\}?(?=$| ?/| ?\^ ?\{?[23])")
_LETTER_BELOW = re.compile(r"(?<=[a-z])( ?/ ?)([gmshlL])(?=$| ?\^ ?\{?[23])")
_ALIASES = {"mph": "mile / hour", "kph": "kilometer / hour", "per": "/", "^2": "²", "^3": "³"}
_UNIT_ABBREVIATIONS = {
    "m": "meter",
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "hr": "hour",
}
_UNIT_ABBREVIATIONS |= {
    "h": "hour",
    "s": "second",
    "sec": "second",
    "min": "minute",
    "kg": "kilogram",
}
_UNIT_ABBREVIATIONS |= {
    "mi": "mile",
    "ft": "foot",
    "feet": "foot",
    "in": "inch",
    "inche": "inch",
    "yd": "yard",
}
_POWERS = {"square": "²", "sq": "²", "cubic": "³"}
_LETTERS = {"g": "grams", "m": "meters", "s": "seconds", "h": "hours", "l": "liters", "L": "liters"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` is the number as shown (50 for 50%); `places` its decimals, None if computed."""

    value: Fraction
    percent: bool
    unit: str
    places: int | None

    @property
    def number(self) -> Fraction:
        return self.value / 100 if self.percent else self.value


def quantity(text: str) -> Quantity | None:
    """Read a number, fraction, mixed number, power or plain sum with an optional unit."""
    text = _LETTER_UNIT.sub(lambda match: f" {_LETTERS[match[1]]}", text)
    text = _LETTER_BELOW.sub(lambda match: f"{match[1]}{_LETTERS[match[2]]}", text)
    tokens = attach_units(tokenize(text))
    while tokens and tokens[-1].kind is Kind.BREAK:
        tokens.pop()
    if not tokens or len(tokens) > 60:
        return None
    try:
        expression = parse_whole(tokens)
        value = expression.value(Fraction(1))
    except (NotArithmetic, TooLarge, ZeroDivisionError):
        return None
    units = expression.units
    if expression.currency:
        units = [next(t.text for t in tokens if t.kind is Kind.CURRENCY).lstrip("\\"), *units]
    bare = expression.bare
    return Quantity(
        value, expression.percent, _unit(units), expression.numbers[0].places if bare else None
    )


def unit_factor(word: str) -> tuple[str, str, Fraction] | None:
    """A unit's name, its dimension and its size in the dimension's smallest unit."""
    name = _singular(word if word in _TABLE else word.lower())
    return (name, *_TABLE[name]) if name in _TABLE else None


def _unit(words: list[str]) -> str:
    words = [word for word in words if word not in ("the", "in", "total", "about")]
    if not words:
        return ""
    known = [word for word in (_singular(word) for word in words) if word in _TABLE]
    compound = any(word in ("/", "per", "mph", "kph", *_POWERS) or word[0] == "^" for word in words)
    if not compound and len(known) == 1 and words[0] in (*known, known[0] + "s"):
        return known[0]
    return _compound(words)


def _compound(words: list[str]) -> str:
    """Units of several words in one spelling: `sq ft` and `feet^2`, `mph` and `miles per hour`."""
    out: list[str] = []
    power = ""
    for word in words:
        if word in _POWERS:
            power = _POWERS[word]
            continue
        name = _ALIASES.get(word, _UNIT_ABBREVIATIONS.get(word, _singular(word)))
        out.append(_UNIT_ABBREVIATIONS.get(name, name))
        if power:
            out.append(power)
            power = ""
    return " ".join(out)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") else word


def compare_quantities(gold: Quantity, said: Quantity, enough: int = 6) -> Equality:
    """Equal, different, or undecided when units or rounding leave it open.

    `enough` decimals of agreement make a rounded number equal.
    """
    if gold.unit and said.unit and gold.unit != said.unit:
        return _compare_units(gold, said)
    if gold.value == said.value or gold.number == said.number:
        return ANSWERS_EQUAL
    return _rounded(gold, said, enough)


def _compare_units(gold: Quantity, said: Quantity) -> Equality:
    ours, theirs = _TABLE.get(gold.unit), _TABLE.get(said.unit)
    if ours and theirs:
        same = ours[0] == theirs[0] and gold.value * ours[1] == said.value * theirs[1]
        metric = {ours[0].removeprefix("imperial "), theirs[0].removeprefix("imperial ")}
        if not same and len(metric) == 1 and ours[0] != theirs[0]:
            return undecided(f"the units differ: {gold.unit} and {said.unit}")
        return ANSWERS_EQUAL if same else ANSWERS_DIFFER
    if gold.value == said.value:
        return undecided(f"the numbers agree, the units may not: {gold.unit}, {said.unit}")
    if all(any(sign in unit for sign in "/²³") for unit in (gold.unit, said.unit)):
        return undecided(f"the units may convert: {gold.unit}, {said.unit}")
    return ANSWERS_DIFFER


def _rounded(gold: Quantity, said: Quantity, enough: int) -> Equality:
    """A decimal that another number rounds to is close enough at `enough` places, open below."""
    apart = min(abs(gold.value - said.value), abs(gold.number - said.number) * 100)
    apart = apart if gold.percent or said.percent else abs(gold.value - said.value)
    for shown in [q.places for q in (gold, said) if q.places]:
        if apart * 2 <= Fraction(1, 10**shown):
            return (
                ANSWERS_EQUAL if shown >= enough else undecided(f"they agree to {shown} decimals")
            )
    return ANSWERS_DIFFER
