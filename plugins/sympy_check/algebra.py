"""Judging equalities with variables: simplifications that hold, and solutions by substitution.

`a = b` with variables may be an equation to solve, so it is confirmed when it is an identity but
refuted only as a link of a chain of simplifications, `… = b = c`, or as a solution that does not
satisfy the equation just before it. All is exact, at rational points.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from sympy_check.arithmetic import Checked, Judgement, retracted
from sympy_check.formulas import Chain, Side, chains
from sympy_check.solutions import excused, gap, root

__all__ = ["check_algebra"]

MAX_FOUND = 200
_SOLVING = re.compile(
    r"(?i)\b(?:equations?|sett?(?:ing)?|equat\w+|solv\w+|constraint|condition|system|satisf\w+|if|when|"
    r"where|case|require\w*|given|substitut\w+|both|sides?|let|want|need|must|root\w*|line)\b"
)
_CONCLUDES = re.compile(
    r"(?i)\b(?:so|thus|therefore|hence|gives|get|yields?|obtain|find|means|implies|giving|then|"
    r"solution is)\b|\\(?:implies|[Rr]ightarrow|Longrightarrow|therefore|quad)|[⇒⟹→]|=>"
)


def check_algebra(text: str) -> list[Checked]:
    """Judge the formulas with variables that one step states."""
    found: list[Checked] = []
    asked: tuple[Side, Side] | None = None
    last = 0
    for chain in chains(text):
        found.extend(_links(chain, text))
        claim = _claim(chain)
        if claim is not None and asked is not None:
            found.extend(_solution(asked, claim, chain, text, text[last : chain.start]))
        asked = (None if claim is not None else _equation(chain)) or (
            asked if claim is None else None
        )
        last = chain.end
        if len(found) >= MAX_FOUND:
            break
    return found


def _links(chain: Chain, text: str) -> Iterator[Checked]:
    """Each adjacent pair of sides in the same variables."""
    around = text[max(0, chain.start - 120) : chain.end + 40]
    simplifies = len(chain.sides) >= 3 and not _SOLVING.search(around)
    first = chain.sides[0]
    named = first is None or first.root.op == "#"
    for number, (left, right) in enumerate(pairwise(chain.sides)):
        same = _same(left, right)
        if same is None or left is None or right is None:
            continue
        shown = f"{left.text} = {right.text}"
        if same:
            named |= number == 0
            value = left.print()[0]
            yield Checked(shown, Judgement.HOLDS, value, value, left.text.replace(" ", ""))
        elif simplifies and named and number and _sure(left, right):
            taken_back = retracted(text, *_span(chain))
            judgement = Judgement.SKIPPED if taken_back else Judgement.WRONG
            yield Checked(shown, judgement, note=_counterexample(left, right))


def _same(left: Side | None, right: Side | None) -> bool | None:
    """Whether two sides are the same function; None when that is not worth asking."""
    if left is None or right is None or not left.variables or left.variables != right.variables:
        return None
    if left.operations + right.operations < 2 or left.text.split() == right.text.split():
        return None
    both = [pair for pair in zip(left.print(), right.print(), strict=True) if None not in pair]
    return all(a == b for a, b in both) if len(both) >= 3 else None


def _sure(left: Side, right: Side) -> bool:
    """Both are worked-out expressions, not names, and no rounded decimals take part."""
    decimals = any(c.denominator != 1 for side in (left, right) for c in side.constants)
    return not decimals and left.operations >= 1 and right.operations >= 1


def _counterexample(left: Side, right: Side) -> str:
    for start in range(2, 9):
        values = {name: Fraction(start + n) for n, name in enumerate(left.variables)}
        a, b = left.at(values), right.at(values)
        if a is not None and b is not None and a != b:
            given = ", ".join(f"{name} = {value}" for name, value in values.items())
            return f"at {given} they are {a} and {b}"
    return "they differ"


def _equation(chain: Chain) -> tuple[Side, Side] | None:
    """An equation to solve: two sides with one variable between them, not true for all values."""
    if len(chain.sides) != 2:
        return None
    left, right = chain.sides
    if left is None or right is None or len({*left.variables, *right.variables}) != 1:
        return None
    return left, right


def _claim(chain: Chain) -> tuple[str, Side] | None:
    """`x = 3` and `x = 12 / 4 = 3`: a variable and its value."""
    name, value = chain.sides[0], chain.sides[-1]
    lone = name is not None and name.root.op == "#" and len(name.variables) == 1
    if not lone or name is None or value is None or value.variables:
        return None
    return name.variables[0], value


def _solution(
    equation: tuple[Side, Side], claim: tuple[str, Side], chain: Chain, text: str, between: str
) -> Iterator[Checked]:
    """The claimed value put into the equation that stands just before it."""
    name, value = claim
    left, right = equation
    if {*left.variables, *right.variables} != {name} or len(between) > 300:
        return
    said = value.at({})
    left_over = gap(equation, name, said)
    if said is None or left_over is None:
        return
    shown = f"{name} = {value.text} in {left.text} = {right.text}"
    if left_over == 0:
        yield Checked(shown, Judgement.HOLDS, said, said, f"{name}={said}")
        return
    true = root(equation, name)
    if true is None or excused(true, said, value) or not _CONCLUDES.search(between):
        return
    if not retracted(text, *_span(chain)):
        yield Checked(shown, Judgement.WRONG, said, None, note=f"{name} is {true}")


def _span(chain: Chain) -> tuple[int, int]:
    return chain.start, chain.end
