"""Times of day, dates and ratios: what colons, slashes and month names stand for."""

import re
from dataclasses import dataclass

from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, undecided

__all__ = ["compare_moments", "ratio_as_fraction"]

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?: ?: ?(?P<minute>\d{2}))?(?: ?: ?(?P<second>\d{2}))?"
    r"(?: ?(?:\\text ?\{ ?)?(?P<half>[AaPp])\.? ?[Mm]\.?(?: ?\})?)?"
)
_COLON = re.compile(r"\d{1,4}(?: ?: ?\d{1,4}){1,2}")
_RATIO = re.compile(r"[1-9]\d* ?: ?(?:[1-9]|[6-9]\d|\d{3,4})")
_SMALL_RATIO = re.compile(r"[1-9]\d* ?: ?[1-9]")
_NUMERIC = re.compile(r"\d{1,4}([/-])\d{1,2}\1\d{1,4}")
_MONTH = re.compile(
    r"(?i)(?:the )?(?P<first>\d{1,2})?(?:st|nd|rd|th)?(?: of)? ?"
    r"(?P<month>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.? ?"
    r"(?P<second>\d{1,2}(?!\d))?(?:st|nd|rd|th)?,? ?(?P<year>\d{4})?"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since midnight as the digits say, and `a`, `p` or nothing for the half of the day."""

    seconds: int
    half: str

    @property
    def absolute(self) -> int | None:
        """Seconds since midnight; None while the half of the day is open."""
        if not self.half:
            return self.seconds if self.seconds >= 13 * 3600 else None
        return self.seconds % (12 * 3600) + (12 * 3600 if self.half == "p" else 0)


def compare_moments(left: str, right: str) -> Equality | None:
    """Compare two times, dates or ratios; undecided when only one is; None when neither is."""
    for compare in (_compare_ratios, _compare_clocks, _compare_dates, _compare_numeric):
        if (verdict := compare(left, right)) is not None:
            return verdict
    if any(read(text) is not None for read in (_clock, _date, _numeric) for text in (left, right)):
        return undecided("only one of them is a time, ratio or date")
    if _COLON.fullmatch(left) and _COLON.fullmatch(right):
        return ANSWERS_DIFFER
    return None


def ratio_as_fraction(text: str) -> str | None:
    """`3:2` as 3/2; what may be a time of day is not one."""
    return text.replace(" ", "").replace(":", "/") if _SMALL_RATIO.fullmatch(text) else None


def _compare_ratios(left: str, right: str) -> Equality | None:
    ours, theirs = _ratio(left), _ratio(right)
    return _same(ours, theirs) if ours and theirs else None


def _compare_clocks(left: str, right: str) -> Equality | None:
    ours, theirs = _clock(left), _clock(right)
    return _clocks(ours, theirs) if ours and theirs else None


def _compare_dates(left: str, right: str) -> Equality | None:
    ours, theirs = _date(left), _date(right)
    return _dates(ours, theirs) if ours and theirs else None


def _compare_numeric(left: str, right: str) -> Equality | None:
    ours, theirs = _numeric(left), _numeric(right)
    return _same(ours, theirs) if ours and theirs else None


def _same(left: object, right: object) -> Equality:
    return ANSWERS_EQUAL if left == right else ANSWERS_DIFFER


def _ratio(text: str) -> tuple[int, int] | None:
    """In lowest terms, so that 6:4 is 3:2."""
    from math import gcd

    if not _RATIO.fullmatch(text):
        return None
    top, bottom = (int(part) for part in text.split(":"))
    common = gcd(top, bottom)
    return (top // common, bottom // common) if common else None


def _clock(text: str) -> Clock | None:
    match = _CLOCK.fullmatch(text)
    if match is None or not (match["minute"] or match["half"]) or int(match["minute"] or 0) > 59:
        return None
    hour = int(match["hour"])
    if hour > (12 if match["half"] else 24):
        return None
    seconds = hour * 3600 + int(match["minute"] or 0) * 60 + int(match["second"] or 0)
    return Clock(seconds, (match["half"] or "").lower())


def _clocks(left: Clock, right: Clock) -> Equality:
    if left.half and right.half:
        return _same(left.absolute, right.absolute)
    if left.seconds == right.seconds:
        return ANSWERS_EQUAL
    if left.half or right.half:
        known = None not in (left.absolute, right.absolute)
        return _same(left.absolute, right.absolute) if known else ANSWERS_DIFFER
    times = left.seconds // 60, right.seconds // 60
    parts = [(minutes // 60, minutes % 60) for minutes in times]
    proportional = parts[0][0] * parts[1][1] == parts[1][0] * parts[0][1] != 0
    return undecided("equal as ratios, not as times") if proportional else ANSWERS_DIFFER


def _date(text: str) -> tuple[str, int, int | None] | None:
    """Month, day, and year if it is given."""
    match = _MONTH.fullmatch(re.sub(r"\\text ?\{([^{}]*)\}", r"\1", text).strip())
    if match is None or bool(match["first"]) == bool(match["second"]):
        return None
    month = match["month"][:3].lower()
    day = int(match["first"] or match["second"])
    return month, day, int(match["year"]) if match["year"] else None


def _dates(left: tuple[str, int, int | None], right: tuple[str, int, int | None]) -> Equality:
    if left[:2] != right[:2]:
        return ANSWERS_DIFFER
    if None in (left[2], right[2]) and left[2] != right[2]:
        return undecided("only one of them names the year")
    return _same(left, right)


def _numeric(text: str) -> tuple[int, ...] | None:
    """05/12/2020 as its numbers, in the order they are written."""
    return tuple(map(int, re.findall(r"\d+", text))) if _NUMERIC.fullmatch(text) else None
