"""Stated changes of units, `3 km = 3000 m`, checked exactly."""

import re
from collections.abc import Iterator
from fractions import Fraction

from sympy_check.arithmetic import Checked, Judgement, retracted
from sympy_check.quantity import unit_factor

__all__ = ["check_conversions"]

MAX_TEXT = 100_000
_NUMBER = r"(\d{1,12}(?:,\d{3}){0,3}(?:\.\d{1,9})?)"
_UNIT = r"\s{0,2}(?:\\(?:text|mathrm)\s?\{\s?)?([A-Za-z]{1,12})\b\s?\}?"
_CONVERSION = re.compile(
    rf"{_NUMBER}{_UNIT}\s{{0,2}}=\s{{0,2}}{_NUMBER}{_UNIT}"
    r"(?!\s{0,2}(?:[-+*/^×÷(=\d]|\\(?:times|cdot|div)|and\s+\d|per\b|of\b|[²³]))"
)
_CUT = re.compile(r"[-+*/^×÷=)\]}.,\d]\s{0,2}[$(]?\s{0,2}$")
_WORD = re.compile(r"([A-Za-z]{1,20})\s{0,2}[$(]?\s{0,2}$")
_STRICT = {"length", "mass", "volume", "imperial length"}
_CLOCK = {"second", "sec", "minute", "min", "hour", "hr"}


def check_conversions(text: str) -> Iterator[Checked]:
    """Judge each `number unit = number unit` whose units measure the same thing.

    Days and weeks may be working ones, tons and cups are of several kinds: those are confirmed,
    never refuted.
    """
    text = text[:MAX_TEXT]
    for match in _CONVERSION.finditer(text):
        ours, theirs = unit_factor(match[2]), unit_factor(match[4])
        if ours is None or theirs is None or ours[1] != theirs[1] or ours[0] == theirs[0]:
            continue
        if not _stands_alone(text[max(0, match.start() - 24) : match.start()]):
            continue
        left, right = (Fraction(match[n].replace(",", "")) for n in (1, 3))
        shown = " ".join(match[0].split())
        if _equal(left * ours[2], right, theirs[2], match[3]):
            yield Checked(shown, Judgement.HOLDS, left, right, shown.partition("=")[0])
        elif _strict(ours, theirs) and not retracted(text, *match.span()):
            value = left * ours[2] / theirs[2]
            yield Checked(shown, Judgement.WRONG, value, right, shown.partition("=")[0])


def _stands_alone(before: str) -> bool:
    """Whether nothing before belongs to the quantity: an operator, `2 hours 30 minutes`."""
    word = _WORD.search(before)
    return _CUT.search(before) is None and (word is None or unit_factor(word[1]) is None)


def _strict(ours: tuple[str, str, Fraction], theirs: tuple[str, str, Fraction]) -> bool:
    return ours[1] in _STRICT or {ours[0], theirs[0]} <= _CLOCK


def _equal(value: Fraction, number: Fraction, factor: Fraction, shown: str) -> bool:
    """Equal, or rounded to the decimals that are shown."""
    places = len(shown.partition(".")[2])
    slack = factor / 10**places if places else Fraction(0)
    return abs(value - number * factor) <= slack
