r"""A formula over whole numbers: `6 * (8 - 4)`, `8 ÷ (3 − 8/3)`, `\frac{8}{3} \times 9`.

It is parsed here and evaluated with exact fractions. Length, depth and the number of operands are
bounded, and only the four operations exist, so that hostile text cannot make it slow; therefore it
may run in the main process.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["MAX_FORMULA_CHARACTERS", "Formula", "NotAFormula", "parse_formula"]

MAX_FORMULA_CHARACTERS = 300
MAX_NUMBERS = 16
MAX_DEPTH = 24

_SPELLINGS = (
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])|[×·⋅∗✕]"), "*"),
    (re.compile(r"(?<=[\d)\s])[xX](?=[\d(\s])"), "*"),
    (re.compile(r"\\div(?![A-Za-z])|[÷∕]"), "/"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\\[dtc]?frac(?![A-Za-z])"), "F"),
    (re.compile(r"\\(?:left|right|big[lr]?|displaystyle)(?![A-Za-z])|\\[,;:! ]|[$\s]"), " "),
    (re.compile(r"[\[]"), "("),
    (re.compile(r"[\]]"), ")"),
)
_TOKEN = re.compile(r" *(\d{1,6}(?![\d.])|[-+*/(){}F])", re.ASCII)


class NotAFormula(ValueError):
    """The text is not arithmetic on whole numbers, or too long."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula: `numbers` are its operands in order; `value` is None when it divides by zero."""

    text: str
    numbers: tuple[int, ...]
    value: Fraction | None


def parse_formula(text: str) -> Formula:
    """Parse a whole text as one formula. Raises NotAFormula."""
    if len(text) > MAX_FORMULA_CHARACTERS:
        raise NotAFormula("too long")
    normalised = text
    for pattern, sign in _SPELLINGS:
        normalised = pattern.sub(sign, normalised)
    parser = _Parser(_tokens(normalised.strip()))
    value = parser.sum(0)
    if parser.peek():
        raise NotAFormula(f"'{parser.peek()}' is left over")
    return Formula(" ".join(text.split()), tuple(parser.numbers), value)


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotAFormula(f"'{text[at]}' is no arithmetic")
        tokens.append(match[1])
        at = match.end()
    return tokens


class _Parser:
    """A recursive-descent parser; a value is None after a division by zero."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0
        self.numbers: list[int] = []

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def sum(self, depth: int) -> Fraction | None:
        if depth > MAX_DEPTH:
            raise NotAFormula("nested too deeply")
        value = self._product(depth)
        while self.peek() in ("+", "-"):
            sign = self._take()
            value = _apply(sign, value, self._product(depth))
        return value

    def _product(self, depth: int) -> Fraction | None:
        value = self._signed(depth)
        while (sign := self.peek()) in ("*", "/") or sign in ("(", "F"):
            if sign in ("*", "/"):
                self._take()
            value = _apply("/" if sign == "/" else "*", value, self._signed(depth))
        return value

    def _signed(self, depth: int) -> Fraction | None:
        if self.peek() != "-":
            return self._operand(depth)
        self._take()
        value = self._operand(depth)
        return None if value is None else -value

    def _operand(self, depth: int) -> Fraction | None:
        token = self._take()
        if token.isdigit():
            self.numbers.append(int(token))
            if len(self.numbers) > MAX_NUMBERS:
                raise NotAFormula("too many numbers")
            return Fraction(int(token))
        if token == "F":
            return _apply("/", self._group("{", "}", depth), self._group("{", "}", depth))
        if token in ("(", "{"):
            self._at -= 1
            return self._group(token, ")" if token == "(" else "}", depth)
        raise NotAFormula(f"'{token}' is no operand" if token else "it ends too early")

    def _group(self, opening: str, closing: str, depth: int) -> Fraction | None:
        if self._take() != opening:
            raise NotAFormula(f"'{opening}' is missing")
        value = self.sum(depth + 1)
        if self._take() != closing:
            raise NotAFormula(f"'{closing}' is missing")
        return value

    def _take(self) -> str:
        token = self.peek()
        self._at += 1
        return token


def _apply(sign: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    if left is None or right is None or (sign == "/" and right == 0):
        return None
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    return left * right if sign == "*" else left / right
