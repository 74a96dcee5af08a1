"""Whether an answer equals the expected one: equal, different, or could not decide.

Shapes that have one right reading are compared exactly here (choices, words, times, bases,
numbers with units, lists, intervals, matrices); the rest goes to `symbolic`. Runs in the worker:
both texts are hostile.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from reasoner.answers.extraction import extract_marked_answer
from sympy_check.moments import compare_moments, ratio_as_fraction
from sympy_check.normal import MAX_LENGTH, normalise
from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, Relation, undecided
from sympy_check.quantity import compare_quantities, quantity
from sympy_check.structure import compare_structures
from sympy_check.words import compare_words

__all__ = ["compare"]

MAX_DEPTH = 3
_MARKED = re.compile(r"\\f?boxed|[Ff]inal [Aa]nswer|\n")
_TOWER = re.compile(r"\^ ?\{?-?\d+\}? ?\^|\d[eE][+-]?\d{4}")
_BASED = re.compile(r"(\w+)_\{?(\d{1,2})\}?")
_NAMED = re.compile(
    r"((?:[A-Za-z|\\(){}_,:'\s]|(?<=_)\d{1,3}|(?<=_\{)\d{1,3})+?) ?"
    r"(=|\\in(?![a-z])|\\approx(?![a-z])) ?(.+)"
)
_COMMA, _POINT = re.compile(r"-?\d+,\d+"), re.compile(r"-?\d+\.\d+")
_LETTERS = re.compile(
    r"\\(?:frac|sqrt|pi|cdot|times|text|infty|pm|left|right|begin|end|[pb]matrix|"
    r"circ|cup|ln|log|sin|cos|tan)|[pb]matrix|(?<![A-Za-z])[ei](?![A-Za-z])"
)
_RELATIONS = re.compile(r"=|<|>|\\[lg]eq?(?![a-z])|\\ne")
_ANSWER_SEPARATOR = re.compile(r",|;|(?<![A-Za-z])(?:or|and)(?![A-Za-z])")
_RESIDUE = re.compile(
    r"(?:[A-Za-z] ?(?:=|\\equiv) ?)?(-?\d{1,9}) ?\(?\\?p?mod ?[{(]?(\d{1,9})[})]*"
)
_SIDES = re.compile(r"(?<![<>!\\])=")
_WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{3,}")
_IN_TEXT = re.compile(r"\\(?:text|begin|end|mathbb|operatorname) ?\{[^{}]*\}")
_LOG = re.compile(r"\\log(?![A-Za-z_]| ?_)")
_MULTIPLE = re.compile(
    r"[-+]?\d{0,9} ?(?:\\cdot|\\times|\*)? ?[\[(][^()\[\]]{1,200},[^()\[\]]{1,200}[\])]"
)
_CONSTANT = re.compile(r" ?\+ ?[CcKk]$")


@dataclass(frozen=True, slots=True)
class Scope:
    """`places` are the decimals to which a rounded number may agree, `depth` how far inside."""

    places: int = 6
    depth: int = 0

    def inside(self) -> "Scope":
        return Scope(self.places, self.depth + 1)


def compare(gold: str, said: str, places: int = 6) -> Equality:
    """Compare an answer with the expected one; either may be a whole reply that marks its answer.

    A decimal equals what it is the rounding of when it shows at least `places` decimals.
    """
    if gold.strip() == said.strip() and gold.strip():
        return ANSWERS_EQUAL
    return _compare(_unmarked(gold), _unmarked(said), Scope(places))


def _unmarked(text: str) -> str:
    return extract_marked_answer(text) or text if _MARKED.search(text) else text


def _compare(gold: str, said: str, scope: Scope) -> Equality:
    if max(len(gold), len(said)) > MAX_LENGTH:
        return undecided("an answer is too long to compare")
    if scope.depth > MAX_DEPTH:
        return undecided("the answers are nested too deeply")
    left, right = normalise(gold), normalise(said)
    if not left or not right:
        return undecided("an answer is empty")
    if left.replace(" ", "") == right.replace(" ", ""):
        return ANSWERS_EQUAL
    if _TOWER.search(left) or _TOWER.search(right):
        return undecided("a number is too large")
    for rule in _RULES:
        if (verdict := rule(left, right, scope)) is not None:
            return verdict
    return undecided("no rule reads both answers")


def _compare_words(left: str, right: str, _: Scope) -> Equality | None:
    return compare_words(left, right)


def _compare_moments(left: str, right: str, scope: Scope) -> Equality | None:
    """Times, dates and ratios; 3:2 is also the number 3/2, 12:30 is not 2/5."""
    fractions = [ratio_as_fraction(side) for side in (left, right)]
    if (fractions[0] is None) != (fractions[1] is None):
        return _compare(fractions[0] or left, fractions[1] or right, scope.inside())
    if "=" in left + right:
        return None
    return compare_moments(left, right)


def _compare_based(left: str, right: str, _: Scope) -> Equality | None:
    """Digits with a base, like 52_8."""
    ours, theirs = _BASED.fullmatch(left), _BASED.fullmatch(right)
    if not ours and not theirs:
        return None
    if ours and theirs:
        same = ours[1].lstrip("0") == theirs[1].lstrip("0") and ours[2] == theirs[2]
        return ANSWERS_EQUAL if same else _compare_values(ours, theirs)
    digits, other = (ours[1], right) if ours else (theirs[1] if theirs else "", left)
    if not other.isdigit():
        return None
    based = ours or theirs
    assert based is not None
    if digits == other:
        return undecided("only one of them names its base")
    return (
        undecided("equal, but in another base") if _number(based) == int(other) else ANSWERS_DIFFER
    )


def _number(based: re.Match[str]) -> int | None:
    try:
        return int(based[1], int(based[2]))
    except ValueError:
        return None


def _compare_values(ours: re.Match[str], theirs: re.Match[str]) -> Equality:
    values = _number(ours), _number(theirs)
    if None in values:
        return undecided("the digits do not fit the base")
    return undecided("equal, but in another base") if values[0] == values[1] else ANSWERS_DIFFER


def _compare_residues(left: str, right: str, scope: Scope) -> Equality | None:
    """7 (mod 12): the same class; a bare number is a class when the other names the modulus."""
    ours, theirs = _RESIDUE.fullmatch(left), _RESIDUE.fullmatch(right)
    if ours and theirs:
        same = ours[2] == theirs[2] and (int(ours[1]) - int(theirs[1])) % int(ours[2]) == 0
        return ANSWERS_EQUAL if same else ANSWERS_DIFFER
    if ours:
        return _compare(ours[1], right, scope.inside())
    return _compare(left, theirs[1], scope.inside()) if theirs else None


def _compare_quantities(left: str, right: str, scope: Scope) -> Equality | None:
    ours, theirs = quantity(left), quantity(right)
    if ours and theirs:
        return compare_quantities(ours, theirs, scope.places)
    if (ours and _MULTIPLE.fullmatch(right)) or (theirs and _MULTIPLE.fullmatch(left)):
        return ANSWERS_DIFFER  # a number is no interval or tuple, nor a multiple of one
    return None


def _compare_commas(left: str, right: str, _: Scope) -> Equality | None:
    """2,74 and 2.74: beside a decimal number, a lone comma is a decimal comma."""
    for one, other in ((left, right), (right, left)):
        if _COMMA.fullmatch(one) and _POINT.fullmatch(other):
            return ANSWERS_EQUAL if one.replace(",", ".") == other else ANSWERS_DIFFER
    return None


def _compare_named(left: str, right: str, scope: Scope) -> Equality | None:
    """`x = 5` and `5`; `x = 5` and `y = 5`; `y = 2x + 1` and `2x + 1`; `a + b = 5` and `5`."""
    ours, theirs = _NAMED.fullmatch(left), _NAMED.fullmatch(right)
    if any(text.count("=") > 1 and _ANSWER_SEPARATOR.search(text) for text in (left, right)):
        return None
    if "=" in left and "=" in right and "(" in (left + right)[:1] + right[:1]:
        return None
    if ours and theirs:
        same = _compare(_value(ours), _value(theirs), scope.inside())
        if ours[1].replace(" ", "") == theirs[1].replace(" ", ""):
            return same
        return undecided("they name different things") if same.relation is Relation.EQUAL else None
    if ours:
        return _compare_to_named(ours, right, scope)
    if theirs and "in" in theirs[2]:
        return None if _RELATIONS.search(left) else _compare(left, _value(theirs), scope.inside())
    return _compare_to_equation(left, right, scope)


def _compare_to_named(gold: re.Match[str], said: str, scope: Scope) -> Equality | None:
    """`x = 5` is expected and `5` said: equal, unless an equation in unknowns was asked for."""
    if _RELATIONS.search(said) and "in" not in gold[2]:
        return None
    same = _compare(_value(gold), said, scope.inside())
    constant = not re.search(r"[A-Za-z]", _LETTERS.sub("", _value(gold)))
    if constant or "(" in gold[1] or same.relation is not Relation.EQUAL:
        return same
    return undecided("one is an equation, the other its right side")


def _compare_to_equation(gold: str, said: str, scope: Scope) -> Equality | None:
    """One of them is an equation: what an answer says last is its value, `a + b = 2 + 3 = 5`."""
    ours, theirs = (len(_SIDES.findall(text)) for text in (gold, said))
    if bool(ours) == bool(theirs) or _RELATIONS.search(_SIDES.sub("", gold + said)):
        return None
    if ours:
        return ANSWERS_DIFFER if re.search("[A-Za-z]", _LETTERS.sub("", gold)) else None
    sides = [side.strip() for side in _SIDES.split(said)]
    if re.search(r"\d ?[A-Za-z]", _LETTERS.sub("", sides[0])):
        return undecided("an equation in unknowns for a value")
    return _compare(gold, sides[-1], scope.inside())


def _value(named: re.Match[str]) -> str:
    """The last side of an equation that begins with a name; the first of an approximation."""
    sides = re.split(r"=|\\approx(?![a-z])", named[3])
    return sides[0 if r"\approx" in named[3] else -1].strip()


def _compare_structures(left: str, right: str, scope: Scope) -> Equality | None:
    return compare_structures(left, right, lambda a, b: _compare(a, b, scope.inside()))


def _compare_antiderivatives(left: str, right: str, scope: Scope) -> Equality | None:
    """x² + C and x² + K name the same constant."""
    ours, theirs = _CONSTANT.search(left), _CONSTANT.search(right)
    if not ours or not theirs:
        return None
    return _compare(left[: ours.start()], right[: theirs.start()], scope.inside())


def _compare_symbolic(left: str, right: str, scope: Scope) -> Equality:
    from sympy_check.symbolic import compare_symbolic

    verdict = compare_symbolic(left, right, scope.places)
    if verdict.relation is Relation.UNDECIDED:
        return verdict
    if _words_outside(left) != _words_outside(right):
        return undecided("words among the mathematics")
    return _unless_natural(left, right, scope) if verdict is ANSWERS_DIFFER else verdict


def _unless_natural(left: str, right: str, scope: Scope) -> Equality:
    r"""`\log x` and `\ln x` differ, unless the writer means the natural logarithm by both."""
    from sympy_check.symbolic import compare_symbolic

    if r"\ln" in left + right and _LOG.search(left + right):
        ours, theirs = (_LOG.sub(r"\\ln", side) for side in (left, right))
        if compare_symbolic(ours, theirs, scope.places).relation is Relation.EQUAL:
            return undecided("equal if log is the natural logarithm")
    return ANSWERS_DIFFER


def _words_outside(text: str) -> list[str]:
    """The words that stand bare among mathematics, where each would be a product of letters."""
    words = _WORD.findall(_IN_TEXT.sub(" ", text))
    return sorted(word for word in words if word != "and")


_RULES: tuple[Callable[[str, str, Scope], Equality | None], ...] = (
    _compare_moments,
    _compare_words,
    _compare_based,
    _compare_residues,
    _compare_quantities,
    _compare_commas,
    _compare_named,
    _compare_structures,
    _compare_antiderivatives,
    _compare_symbolic,
)
