"""Answers that are words: choices, yes and no, names, numbers in words."""

import re

from sympy_check.numerals import is_numeral, numeral
from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, undecided
from sympy_check.quantity import compare_quantities, quantity

__all__ = ["compare_words"]

_CHOICE = re.compile(r"\(([A-Za-z])\)|\(?([A-Z])[).:]|([A-Z])")
_CHOICE_LEAD = re.compile(
    r"(?:option |choice |answer )?\(?([A-Z])[).:](?: .*)?|\(([A-Za-z])\) .*|"
    r"(?:option|choice) ([A-Z])\b.*",
    re.IGNORECASE,
)
_TEXT = re.compile(r"\\text ?\{([^{}]*)\}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z' \-.,()]*")
_FIRST = {"yes", "no", "true", "false"}
_ARTICLES = {"a", "an", "the"}
_NO_NUMBER = {"none", "nothing", "undefined", "infinite", "infinity", "infinitely", "never", "nil"}
_MATH = {"pi", "sin", "cos", "tan", "cot", "sec", "csc", "ln", "log", "sqrt", "exp"}


def compare_words(left: str, right: str) -> Equality | None:
    """Compare two answers of which one at least is words; None when neither is."""
    if (choices := _compare_choices(left, right)) is not None:
        return choices
    if re.search("[A-Za-z]{3}", _bare(left)) and _bare(left).lower() == _bare(right).lower():
        return ANSWERS_EQUAL
    ours, theirs = _words(left), _words(right)
    if ours is None and theirs is None:
        return None
    if ours is not None and theirs is not None:
        return _compare_texts(ours, theirs)
    return _compare_number(ours or theirs or [], right if ours is not None else left)


def _compare_choices(left: str, right: str) -> Equality | None:
    """One of them is a letter; the other is one too, or begins with one: (B), B) 12 apples."""
    gold, said = _bare(left), _bare(right)
    ours, theirs = _CHOICE.fullmatch(gold), _CHOICE.fullmatch(said)
    if ours and not theirs:
        theirs = _CHOICE_LEAD.fullmatch(said)
    elif theirs and not ours:
        ours = _CHOICE_LEAD.fullmatch(gold)
    if not ours or not theirs:
        return None
    letters = [next(group for group in match.groups() if group).upper() for match in (ours, theirs)]
    return ANSWERS_EQUAL if letters[0] == letters[1] else ANSWERS_DIFFER


def _bare(text: str) -> str:
    return " ".join(_TEXT.sub(lambda m: m[1], text).split())


def _words(text: str) -> list[str] | None:
    """The words of an answer that is nothing but words; None for mathematics."""
    marked = _TEXT.search(text) is not None
    plain = _bare(text)
    if not _PLAIN.fullmatch(plain):
        return None
    words = [word for word in re.findall(r"[a-z']+", plain.lower()) if word not in _ARTICLES]
    if (
        not words
        or _MATH & set(words)
        or not (marked or max(map(len, words)) >= 3 or words[0] in _FIRST)
    ):
        return None
    return words


def _compare_texts(ours: list[str], theirs: list[str]) -> Equality:
    if ours == theirs:
        return ANSWERS_EQUAL
    if ours[0] in _FIRST and len(ours) == 1:
        return (
            ANSWERS_EQUAL
            if theirs[0] == ours[0]
            else ANSWERS_DIFFER
            if theirs[0] in _FIRST
            else undecided("not a plain yes or no")
        )
    if set(ours) & set(theirs):
        return undecided("the wordings overlap")
    return ANSWERS_DIFFER if len(ours) == len(theirs) == 1 else undecided("the wordings differ")


def _compare_number(words: list[str], other: str) -> Equality | None:
    """`twelve`, `twenty five apples` against a number; other words against mathematics differ."""
    theirs = quantity(other)
    if any(is_numeral(word) for word in words):
        said = numeral(words)
        if said is None or theirs is None:
            return undecided("a number in words")
        ours = quantity(f"{said[0]} {' '.join(said[1])}")
        return compare_quantities(ours, theirs) if ours else undecided("a number in words")
    if theirs is None or _NO_NUMBER & set(words):
        return undecided("words against mathematics")
    return ANSWERS_DIFFER
