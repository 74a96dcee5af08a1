"""Symbolic equality through Math-Verify, double-checked by numbers. Only ever in the worker.

Only LaTeX parsing is used, which builds expressions and executes nothing; no text reaches
`sympify`, `parse_expr` or `eval`. Hanging is the parent's business: it kills this process.
"""

import math
import re
from fractions import Fraction
from typing import Any

from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, undecided

__all__ = ["compare_symbolic"]

DIGITS = 30
_OR = re.compile(r"\\text ?\{ ?or ?\}| or |\\lor(?![a-z])|\\vee(?![a-z])")
_AND = re.compile(r"\\text ?\{ ?and ?\}| and |\\land(?![a-z])|\\wedge(?![a-z])|,")
_INEQUALITY = re.compile(r"[<>]|\\[lg](?:eq?|t)(?:slant)?(?![a-z])|\\ne")
_POINTS = tuple(Fraction(n, d) for n, d in ((7, 5), (-11, 7), (23, 9), (2, 13), (-5, 17), (31, 8)))


def compare_symbolic(left: str, right: str, places: int = 6) -> Equality:
    """Compare two LaTeX expressions, equations or relations.

    A decimal equals an exact value from which it differs by less than half of `places` decimals.
    """
    import logging

    logging.disable(logging.CRITICAL)
    if left.count("=") == right.count("=") == 1 and not re.search(
        r"[<>]|\\[lg]eq?|\\ne", left + right
    ):
        return _compare_equations(left, right)
    if ("=" in left) != ("=" in right):
        return undecided("only one of them is an equation")
    ours, theirs = _parse_relations(left), _parse_relations(right)
    if ours is None or theirs is None:
        return undecided("an answer could not be read as mathematics")
    return _compare(ours, theirs, places)


def _parse_relations(latex: str) -> Any:
    """`x < 1 or x > 2` and `x > 1, x < 2` as one condition; anything else as it is."""
    import sympy

    found = []
    for case in _OR.split(latex):
        parts = _AND.split(case)
        if not all(_INEQUALITY.search(part) for part in parts):
            return _parse(latex)
        read = [_parse(part) for part in parts]
        if not all(isinstance(part, sympy.logic.boolalg.Boolean) for part in read):
            return _parse(latex)
        found.append(sympy.And(*read))
    return sympy.Or(*found)


def _parse(latex: str) -> Any:
    from math_verify import LatexExtractionConfig, parse

    latex = re.sub(r"(?<![\\A-Za-z])\*", r" \\cdot ", latex).replace("$", "")
    found = parse(
        f"${latex}$",
        extraction_config=[LatexExtractionConfig()],
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )
    return _constants(found[0]) if found and not isinstance(found[0], str) else None


def _constants(expression: Any) -> Any:
    """The letters e and i as the constants they are in an answer."""
    import sympy

    try:
        names = {symbol.name: symbol for symbol in expression.free_symbols}
        known = {"e": sympy.E, "i": sympy.I}
        return expression.subs({names[name]: known[name] for name in known if name in names})
    except (AttributeError, TypeError):
        return expression


def _compare(ours: Any, theirs: Any, places: int) -> Equality:
    import sympy
    from math_verify import verify

    if any(isinstance(side, (sympy.MatrixBase, sympy.MatrixExpr)) for side in (ours, theirs)):
        return _compare_matrices(ours, theirs, places)
    said_equal = bool(verify(ours, theirs, timeout_seconds=None, allow_set_relation_comp=True))
    if isinstance(ours, sympy.Expr) and isinstance(theirs, sympy.Expr):
        return _compare_numbers(ours, theirs, said_equal, places)
    if said_equal:
        return ANSWERS_EQUAL
    return _compare_sets(ours, theirs)


def _compare_sets(ours: Any, theirs: Any) -> Equality:
    """Sets and relations: relations in one real unknown are the sets of their solutions."""
    import sympy

    truths = sympy.logic.boolalg.Boolean
    kinds = [isinstance(side, truths) for side in (ours, theirs)]
    if all(kinds) and max(len(ours.free_symbols), len(theirs.free_symbols)) > 1:
        return _compare_relations(ours, theirs)
    if sorted(kinds) == [False, True] and (
        isinstance(ours, sympy.Number) or isinstance(theirs, sympy.Number)
    ):
        return ANSWERS_DIFFER
    sides = [_solutions(side) for side in (ours, theirs)]
    if not all(isinstance(side, sympy.Set) for side in sides):
        return undecided("Math-Verify finds no equality")
    if all(kinds) and ours.free_symbols != theirs.free_symbols:
        return ANSWERS_DIFFER
    difference = sides[0].symmetric_difference(sides[1])
    if difference.is_empty:
        return ANSWERS_EQUAL
    return ANSWERS_DIFFER if difference.is_empty is False else undecided("two sets")


def _solutions(side: Any) -> Any:
    import sympy

    if not isinstance(side, sympy.logic.boolalg.Boolean) or len(side.free_symbols) != 1:
        return side
    (symbol,) = side.free_symbols
    try:
        return side.subs(symbol, sympy.Symbol("x", real=True)).as_set()
    except (NotImplementedError, TypeError, ValueError):
        return side


def _compare_matrices(ours: Any, theirs: Any, places: int) -> Equality:
    """Matrices and sums and products of matrices, entry by entry."""
    import sympy

    ours, theirs = ours.doit(), theirs.doit()
    if not isinstance(ours, sympy.MatrixBase) or not isinstance(theirs, sympy.MatrixBase):
        return undecided("a matrix against something else")
    if ours.shape != theirs.shape:
        return ANSWERS_DIFFER
    cells = list(zip(ours.flat(), theirs.flat(), strict=True))
    found = [_compare_numbers(a, b, bool(a == b), places) for a, b in cells]
    return next((result for result in found if result is not ANSWERS_EQUAL), ANSWERS_EQUAL)


def _compare_numbers(ours: Any, theirs: Any, said_equal: bool, places: int) -> Equality:
    """What numbers say at a few points; a disagreement at any point decides."""
    ours, theirs = ours.doit(), theirs.doit()
    symbols = sorted(ours.free_symbols | theirs.free_symbols, key=lambda symbol: str(symbol.name))
    if len(symbols) > 8:
        return ANSWERS_EQUAL if said_equal else undecided("too many variables")
    if ours.free_symbols != theirs.free_symbols and not said_equal:
        return _compare_renamed(ours, theirs)
    starts = range(len(_POINTS) if symbols else 1)
    found = [_close_at(ours, theirs, symbols, start) for start in starts]
    compared, agreed = sum(close is not None for close in found), sum(map(bool, found))
    if agreed < compared:
        return _near(ours, theirs, places) if not symbols else _somewhere(ours, theirs, symbols)
    if said_equal or compared >= 4 or (compared and not symbols):
        return ANSWERS_EQUAL
    return undecided("too few points could be compared")


def _somewhere(ours: Any, theirs: Any, symbols: list[Any]) -> Equality:
    """Different, unless they agree wherever all unknowns are positive: log(x^2) and 2 log(x)."""
    found = [_close_at(ours, theirs, symbols, start, positive=True) for start in range(4)]
    if all(found):
        return undecided("equal where the unknowns are positive")
    return ANSWERS_DIFFER


def _close_at(
    ours: Any, theirs: Any, symbols: list[Any], start: int, positive: bool = False
) -> bool | None:
    import sympy

    values = {
        symbol: sympy.Rational(
            _POINTS[(start + 2 * n) % 6].numerator, _POINTS[(start + 2 * n) % 6].denominator
        )
        + n
        for n, symbol in enumerate(symbols)
    }
    if positive:
        values = {symbol: abs(value) for symbol, value in values.items()}
    try:
        a, b = (complex(side.subs(values).evalf(DIGITS)) for side in (ours, theirs))
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None
    if a != a or b != b:  # NaN
        return None
    if math.isinf(abs(a)) or math.isinf(abs(b)):
        return a == b
    return abs(a - b) <= 1e-10 * max(1.0, abs(a), abs(b))


def _near(ours: Any, theirs: Any, places: int) -> Equality:
    """A decimal close to an exact value is left open; anything else differs."""
    close = abs(complex(ours.evalf(DIGITS)) - complex(theirs.evalf(DIGITS)))
    decimal = any(
        getattr(side, "is_Float", False) or not side.atoms() or side.is_Rational
        for side in (ours, theirs)
    )
    if not decimal or close >= 0.006:
        return ANSWERS_DIFFER
    return ANSWERS_EQUAL if close * 2 <= 10.0**-places else undecided("they agree to a few digits")


def _compare_renamed(ours: Any, theirs: Any) -> Equality:
    """Other variables: left open when renaming them makes the two equal."""
    a = sorted(ours.free_symbols - theirs.free_symbols, key=str)
    b = sorted(theirs.free_symbols - ours.free_symbols, key=str)
    if len(a) == len(b) and _close_at(
        ours, theirs.subs(dict(zip(b, a, strict=True))), sorted(ours.free_symbols, key=str), 0
    ):
        return undecided("equal but for the names of variables")
    return ANSWERS_DIFFER


def _compare_relations(ours: Any, theirs: Any) -> Equality:
    """Inequalities: a point where one holds and the other does not decides."""
    import sympy

    symbols = sorted(ours.free_symbols | theirs.free_symbols, key=str)
    for number in range(-24, 25):
        values = {
            symbol: sympy.Rational(number * (n + 2) + 1, 2) for n, symbol in enumerate(symbols)
        }
        try:
            a, b = bool(ours.subs(values)), bool(theirs.subs(values))
        except TypeError:
            return undecided("a relation could not be evaluated")
        if a != b:
            return ANSWERS_DIFFER
    return undecided("no point tells them apart")


def _compare_equations(left: str, right: str) -> Equality:
    """Equations with the same solutions: their differences of sides are proportional."""
    import sympy

    sides = [_parse(side) for equation in (left, right) for side in equation.split("=")]
    if any(not isinstance(side, sympy.Expr) for side in sides):
        return undecided("an equation could not be read")
    ours, theirs = sympy.expand(sides[0] - sides[1]), sympy.expand(sides[2] - sides[3])
    if ours.free_symbols != theirs.free_symbols:
        return (
            ANSWERS_DIFFER
            if ours.free_symbols and theirs.free_symbols
            else undecided("an equation without unknowns")
        )
    if ours == 0 or theirs == 0:
        return undecided("an equation that always holds")
    ratio = sympy.simplify(ours / theirs)
    if ratio.is_number and ratio != 0:
        return ANSWERS_EQUAL
    polynomial = ours.is_polynomial() and theirs.is_polynomial()
    return (
        ANSWERS_DIFFER if polynomial else undecided("the equations are not multiples of each other")
    )
