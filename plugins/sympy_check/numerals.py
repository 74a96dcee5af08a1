"""Numbers in words: `twenty-five`, `one hundred and five`, `three quarters`, `two and a half`."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["is_numeral", "numeral"]

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS_BELOW_100 = {word: value for value, word in enumerate(_ONES.split())}
_NUMBERS_BELOW_100 |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_POWERS_OF_1000 = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6}
_PARTS |= {"seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12}
_PARTS |= {f"{word}s": value for word, value in _PARTS.items() if word != "halves"}
_MAX_WORDS = 16


def is_numeral(word: str) -> bool:
    """Whether a word can be part of a number."""
    return (
        word in _NUMBERS_BELOW_100
        or word in _POWERS_OF_1000
        or word in _PARTS
        or word in ("hundred", "dozen")
    )


def numeral(words: Sequence[str]) -> tuple[Fraction, list[str]] | None:
    """The number that words begin with, and the words behind it; None when they begin with none.

    Articles are expected to be gone already: "two and half apples".
    """
    count = 0
    while count < min(len(words), _MAX_WORDS) and (
        is_numeral(words[count]) or (words[count] == "and" and count)
    ):
        count += 1
    while count and words[count - 1] == "and":
        count -= 1
    value = _value(list(words[:count]))
    return None if value is None else (value, list(words[count:]))


def _value(words: list[str]) -> Fraction | None:
    if not words:
        return None
    if words[-1] in _PARTS:
        return _fraction(words[:-1], Fraction(1, _PARTS[words[-1]]), words[-1].endswith("s"))
    dozen = words[-1] == "dozen"
    whole = _whole(words[:-1] or ["one"]) if dozen else _whole(words)
    return None if whole is None else Fraction(whole * (12 if dozen else 1))


def _fraction(words: list[str], part: Fraction, plural: bool) -> Fraction | None:
    """`half`, `three quarters`, `two and half`."""
    if not words:
        return part
    whole = _whole(words)
    if whole is None:
        return None
    if words[-1] == "and":
        return whole + part
    return whole * part if whole < 20 and (plural or whole == 1) else None


def _whole(words: list[str]) -> int | None:
    """A whole number in the usual order; None for words in any other, like a telephone number."""
    total, group, last = 0, 0, 0
    for word in (word for word in words if word != "and"):
        if word in _POWERS_OF_1000:
            total, group, last = total + max(1, group) * _POWERS_OF_1000[word], 0, 0
        elif word == "hundred":
            if group >= 100:
                return None
            group, last = max(1, group) * 100, 100
        elif word in _NUMBERS_BELOW_100:
            value = _NUMBERS_BELOW_100[word]
            if group and not (last == 100 or (20 <= last < 100 and 0 < value < 10)):
                return None
            group, last = group + value, value
        else:
            return None
    return total + group if words else None
