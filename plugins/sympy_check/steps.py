"""Everything that can be checked in the steps of a reply, and what was put right among them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy_check.algebra import check_algebra
from sympy_check.arithmetic import Checked, Judgement, check_text
from sympy_check.conversions import check_conversions

__all__ = ["check_texts"]

MAX_EQUATIONS = 500


def check_texts(texts: Sequence[str]) -> list[Checked]:
    """Judge every equation of several steps; one that is put right elsewhere is not wrong."""
    found = [checked for text in texts for checked in _check(text)][:MAX_EQUATIONS]
    right = {checked.key for checked in found if checked.judgement is Judgement.HOLDS}
    return [
        replace(checked, judgement=Judgement.SKIPPED)
        if checked.judgement is Judgement.WRONG and checked.key in right
        else checked
        for checked in found
    ]


def _check(text: str) -> Iterator[Checked]:
    yield from check_text(text)
    yield from check_algebra(text)
    yield from check_conversions(text)
