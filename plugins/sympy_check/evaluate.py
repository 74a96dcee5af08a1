"""The exact value of an arithmetic tree, over fractions.

Sizes are bounded: what would grow beyond a few thousand bits is `TooLarge`, never computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Node", "TooLarge", "evaluate"]

MAX_BITS = 4096


class TooLarge(ArithmeticError):
    """The value, or one on the way to it, has too many digits."""


@dataclass(frozen=True, slots=True)
class Node:
    """`op` is a number (`#`), a sign (`~`), a percentage (`%`) or a binary operator."""

    op: str
    args: tuple["Node", ...] = ()
    index: int = -1


def evaluate(node: Node, values: Sequence[Fraction], percent: Fraction) -> Fraction:
    """The value, with the numbers `values` and % standing for `percent`."""
    if node.op == "#":
        return values[node.index]
    args = [evaluate(arg, values, percent) for arg in node.args]
    if node.op == "~":
        return -args[0]
    if node.op == "%":
        return args[0] * percent
    return _bounded(_apply(node.op, args[0], args[1]))


def _apply(op: str, left: Fraction, right: Fraction) -> Fraction:
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/":
        return left / right
    return _power(left, right)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise TooLarge("a root")
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * size > MAX_BITS:
        raise TooLarge("a power")
    return base ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise TooLarge("a number")
    return value
