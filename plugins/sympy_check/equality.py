"""Whether an answer equals the expected one: equal, different, or could not decide.

Shapes that have one right reading are compared exactly here (choices, words, times, bases,
numbers with units, lists, intervals, matrices); the rest goes to `symbolic`. Runs in the worker:
both texts are hostile.
"""

import re
from collections.abc import Callable

from reasoner.plugins.sympy_check.normal import MAX_LENGTH, normalise
from reasoner.plugins.sympy_check.outcome import DIFFERENT, EQUAL, Equality, Relation, undecided
from reasoner.plugins.sympy_check.quantity import compare_quantities, quantity
from reasoner.plugins.sympy_check.structure import compare_structures
from reasoner.plugins.sympy_check.words import compare_words

__all__ = ["compare"]

MAX_DEPTH = 3
_TOWER = re.compile(r"\^ ?\{?-?\d+\}? ?\^|\d[eE][+-]?\d{4}")
_COLON = re.compile(r"\d{1,4}(?: ?: ?\d{1,4}){1,2}(?: ?[AaPp]\.?[Mm]\.?)?")
_DATE = re.compile(r"\d{1,4}([/-])\d{1,2}\1\d{1,4}")
_BASED = re.compile(r"(\w+)_\{?(\d{1,2})\}?")
_NAMED = re.compile(
    r"((?:[A-Za-z|\\(){}_,:'\s]|(?<=_)\d{1,3}|(?<=_\{)\d{1,3})+?) ?"
    r"(=|\\in(?![a-z])|\\approx(?![a-z])) ?(.+)"
)
_COMMA, _POINT = re.compile(r"-?\d+,\d+"), re.compile(r"-?\d+\.\d+")
_LETTERS = re.compile(
    r"\\(?:frac|sqrt|pi|cdot|times|text|infty|pm|left|right|begin|end|[pb]matrix|"
    r"circ|cup|ln|log)|[pb]matrix|(?<![A-Za-z])[ei](?![A-Za-z])"
)
_RELATIONS = re.compile(r"=|<|>|\\[lg]eq?(?![a-z])|\\ne")
_WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{3,}")
_CONSTANT = re.compile(r" ?\+ ?[CcKk]$")


def compare(gold: str, said: str, depth: int = 0) -> Equality:
    """Compare an answer with the expected one."""
    if gold.strip() == said.strip() and gold.strip():
        return EQUAL
    if max(len(gold), len(said)) > MAX_LENGTH:
        return undecided("an answer is too long to compare")
    if depth > MAX_DEPTH:
        return undecided("the answers are nested too deeply")
    left, right = normalise(gold), normalise(said)
    if not left or not right:
        return undecided("an answer is empty")
    if left.replace(" ", "") == right.replace(" ", ""):
        return EQUAL
    if _TOWER.search(left) or _TOWER.search(right):
        return undecided("a number is too large")
    for rule in _RULES:
        if (verdict := rule(left, right, depth)) is not None:
            return verdict
    return undecided("no rule reads both answers")


def _compare_words(left: str, right: str, _: int) -> Equality | None:
    return compare_words(left, right)


def _compare_colons(left: str, right: str, _: int) -> Equality | None:
    """Times, ratios and dates: the same text, else left open unless they plainly differ."""
    for pattern in (_COLON, _DATE):
        ours, theirs = pattern.fullmatch(left), pattern.fullmatch(right)
        if ours and theirs:
            return _compare_parts(left, right)
        if ours or theirs:
            named = _NAMED.fullmatch(left) or _NAMED.fullmatch(right)
            return None if named else undecided("only one of them is a time, ratio or date")
    return None


def _compare_parts(left: str, right: str) -> Equality:
    ours, theirs = (
        [int(n) for n in re.findall(r"\d+", left)],
        [int(n) for n in re.findall(r"\d+", right)],
    )
    half_day = re.findall(r"(?i)[ap]\.?m", left + right)
    if ours == theirs:
        same = len(half_day) != 2 or half_day[0][0].lower() == half_day[1][0].lower()
        return EQUAL if same else DIFFERENT
    if len(ours) == len(theirs) == 2 and ours[0] * theirs[1] == ours[1] * theirs[0] != 0:
        return undecided("equal as ratios, not as times")
    return DIFFERENT


def _compare_based(left: str, right: str, _: int) -> Equality | None:
    """Digits with a base, like 52_8."""
    ours, theirs = _BASED.fullmatch(left), _BASED.fullmatch(right)
    if not ours and not theirs:
        return None
    if ours and theirs:
        same = ours[1].lstrip("0") == theirs[1].lstrip("0") and ours[2] == theirs[2]
        return EQUAL if same else _compare_values(ours, theirs)
    digits, other = (ours[1], right) if ours else (theirs[1] if theirs else "", left)
    if not other.isdigit():
        return None
    return undecided("only one of them names its base") if digits == other else DIFFERENT


def _compare_values(ours: re.Match[str], theirs: re.Match[str]) -> Equality:
    try:
        same = int(ours[1], int(ours[2])) == int(theirs[1], int(theirs[2]))
    except ValueError:
        return undecided("the digits do not fit the base")
    return undecided("equal, but in another base") if same else DIFFERENT


def _compare_quantities(left: str, right: str, _: int) -> Equality | None:
    ours, theirs = quantity(left), quantity(right)
    return compare_quantities(ours, theirs) if ours and theirs else None


def _compare_commas(left: str, right: str, _: int) -> Equality | None:
    """2,74 and 2.74: beside a decimal number, a lone comma is a decimal comma."""
    for one, other in ((left, right), (right, left)):
        if _COMMA.fullmatch(one) and _POINT.fullmatch(other):
            return EQUAL if one.replace(",", ".") == other else DIFFERENT
    return None


def _compare_named(left: str, right: str, depth: int) -> Equality | None:
    """`x = 5` and `5`; `x = 5` and `y = 5`; `y = 2x + 1` and `2x + 1`."""
    ours, theirs = _NAMED.fullmatch(left), _NAMED.fullmatch(right)
    several = any(text.count("=") > 1 and "," in text for text in (left, right))
    if several or (not ours and not theirs):
        return None
    value, other = _value(ours, left), _value(theirs, right)
    if ours and theirs:
        same = compare(value, other, depth + 1)
        if ours[1].replace(" ", "") == theirs[1].replace(" ", ""):
            return same
        return undecided("they name different things") if same.relation is Relation.EQUAL else None
    named = ours or theirs
    assert named is not None
    if _RELATIONS.search(right if ours else left) and "in" not in named[2]:
        return None
    same = compare(value, other, depth + 1)
    constant = not re.search(r"[A-Za-z]", _LETTERS.sub("", _value(named, "")))
    if constant or same.relation is not Relation.EQUAL:
        return same
    return undecided("one is an equation, the other its right side")


def _value(named: re.Match[str] | None, whole: str) -> str:
    if named is None:
        return whole
    return re.split(r"=|\\approx(?![a-z])", named[3])[0 if r"\approx" in named[3] else -1].strip()


def _compare_structures(left: str, right: str, depth: int) -> Equality | None:
    return compare_structures(left, right, lambda a, b: compare(a, b, depth + 1))


def _compare_antiderivatives(left: str, right: str, depth: int) -> Equality | None:
    """x² + C and x² + K name the same constant."""
    ours, theirs = _CONSTANT.search(left), _CONSTANT.search(right)
    if not ours or not theirs:
        return None
    return compare(left[: ours.start()], right[: theirs.start()], depth + 1)


def _compare_symbolic(left: str, right: str, _: int) -> Equality:
    from reasoner.plugins.sympy_check.symbolic import compare_symbolic

    verdict = compare_symbolic(left, right)
    if verdict.relation is Relation.DIFFERENT and _WORD.search(left + " " + right):
        return undecided("words among the mathematics")
    return verdict


_RULES: tuple[Callable[[str, str, int], Equality | None], ...] = (
    _compare_words,
    _compare_colons,
    _compare_based,
    _compare_quantities,
    _compare_commas,
    _compare_named,
    _compare_structures,
    _compare_antiderivatives,
    _compare_symbolic,
)
