"""Finding formulas with variables in a text: chains `a = b = c` whose sides are rational functions.

Only what is read completely counts: a side that touches a function, a root, an index or any sign
that is not understood may have been cut out of something longer and is None. Nothing is evaluated
as code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from sympy_check.evaluate import Node, TooLarge, evaluate
from sympy_check.pieces import Piece, pieces

__all__ = ["Chain", "Side", "chains", "read_side"]

MAX_TEXT = 100_000
MAX_TOKENS = 200
MAX_DEPTH = 30
MAX_EXPONENT = 12
MAX_SIDES = 20
MAX_VARIABLES = 8
POINTS = tuple(
    tuple(Fraction(a + 3 * n, b) for n in range(8))
    for a, b in ((7, 5), (-11, 7), (23, 9), (2, 13), (-5, 17))
)
"""Values of up to eight variables, sorted by name, at each of the points of comparison."""

_NUMBER = re.compile(r"(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,12})?", re.ASCII)
_CONSTANTS = {"e", "i", "d", "I", "A", "C", "P"}
_FACTORS = set("xyzabcnmkrtuvwpqsXYZ")
_PULLS = {
    "twice",
    "half",
    "times",
    "of",
    "plus",
    "minus",
    "root",
    "by",
    "over",
    "mod",
    "sqrt",
    "log",
}
_PULLS |= {"sin", "cos", "tan", "ln", "less", "than", "divided", "squared", "cubed", "and", "or"}


@dataclass(frozen=True, slots=True)
class Side:
    """A rational function: `variables` sorted by name, `operations` counts binary operators.

    `places` are the decimals of a bare number, 0 otherwise.
    """

    root: Node
    constants: tuple[Fraction, ...]
    variables: tuple[str, ...]
    operations: int
    text: str
    places: int = 0

    def at(self, values: dict[str, Fraction]) -> Fraction | None:
        """The exact value, or None where it is undefined or too large."""
        given = [*self.constants, *(values[name] for name in self.variables)]
        try:
            return evaluate(self.root, given, Fraction(1, 100))
        except (TooLarge, ZeroDivisionError, OverflowError):
            return None

    def print(self) -> tuple[Fraction | None, ...]:
        """The values at POINTS; equal functions have equal ones."""
        return tuple(self.at(dict(zip(self.variables, point, strict=False))) for point in POINTS)


@dataclass(frozen=True, slots=True)
class Chain:
    """`sides` of `a = b = c`, None for those not understood, as written at `start:end`."""

    sides: tuple[Side | None, ...]
    start: int
    end: int


def chains(text: str) -> Iterator[Chain]:
    """Every chain of at least two sides of a text, in order."""
    text = text[:MAX_TEXT]
    run: list[Piece] = []
    before = ""
    for piece in pieces(text):
        if piece.kind != "soft":
            run.append(piece)
            continue
        if (chain := _chain(run, text, before, piece.text)) is not None:
            yield chain
        run, before = [], piece.text
    if (chain := _chain(run, text, before, "")) is not None:
        yield chain


def read_side(text: str) -> Side | None:
    """A whole text as one side; None when it is not one."""
    text = text[:MAX_TEXT]
    return _side(list(pieces(text)), text)


def _chain(run: list[Piece], text: str, before: str, after: str) -> Chain | None:
    cuts = [index for index, piece in enumerate(run) if piece.kind == "equals"]
    if not cuts or len(cuts) > MAX_SIDES:
        return None
    bounds = [-1, *cuts, len(run)]
    sides = [_side(run[a + 1 : b], text) for a, b in pairwise(bounds)]
    if before.lower() in _PULLS:
        sides[0] = None
    if after.lower() in _PULLS:
        sides[-1] = None
    return Chain(tuple(sides), run[0].start, run[-1].end)


def _side(side: list[Piece], text: str) -> Side | None:
    if not side or len(side) > MAX_TOKENS:
        return None
    parser = _Parser(side)
    try:
        root = parser.sum(0)
    except ValueError:
        return None
    names = sorted(set(parser.names))
    if parser.at != len(side) or len(names) > MAX_VARIABLES:
        return None
    order = {name: len(parser.constants) + index for index, name in enumerate(names)}
    return Side(
        _bind(root, parser.names, order),
        tuple(parser.constants),
        tuple(names),
        parser.operations,
        " ".join(text[side[0].start : side[-1].end].split())[:120],
        len(side[0].text.partition(".")[2]) if len(side) == 1 else 0,
    )


def _bind(node: Node, names: list[str], order: dict[str, int]) -> Node:
    """Variables, parsed with negative indices, as the places their values get."""
    if node.op == "#":
        return node if node.index >= 0 else Node("#", index=order[names[-node.index - 1]])
    return Node(node.op, tuple(_bind(arg, names, order) for arg in node.args))


class _Parser:
    """Recursive descent; ValueError for what is no rational function."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces, self.at = pieces, 0
        self.constants: list[Fraction] = []
        self.names: list[str] = []
        self.operations = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self.at + ahead
        if not 0 <= place < len(self.pieces):
            return "", ""
        kind, said, _, _ = self.pieces[place]
        return kind, "*" if kind == "times" else said.replace("−", "-").replace("**", "^")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def binary(self, op: str, left: Node, right: Node) -> Node:
        self.operations += 1
        return Node(op, (left, right))

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        left = self.product(depth)
        while self.peek()[1] in ("+", "-"):
            left = self.binary(self.take()[1], left, self.product(depth))
        return left

    def product(self, depth: int) -> Node:
        left = self.signed(depth)
        slashed = False
        while True:
            kind, said = self.peek()
            if said in ("*", "/"):
                slashed = said == "/"
                left = self.binary(self.take()[1], left, self.signed(depth))
            elif kind in ("variable", "frac") or said in ("(", "["):
                if slashed or (kind == "frac" and self.peek(-1)[0] == "number"):
                    raise ValueError("1/2x, or a mixed number")
                left = self.binary("*", left, self.power(depth))
            else:
                return left

    def signed(self, depth: int) -> Node:
        if self.peek()[1] == "-":
            self.take()
            return Node("~", (self.power(depth),))
        if self.peek()[1] == "+":
            self.take()
        return self.power(depth)

    def power(self, depth: int) -> Node:
        base = self.primary(depth)
        if self.peek()[1] != "^":
            return base
        self.take()
        braced = self.peek()[1] == "{"
        if braced:
            self.take()
        negative = self.peek()[1] == "-"
        if negative:
            self.take()
        kind, said = self.take()
        if kind != "number" or not said.isdigit() or int(said) > MAX_EXPONENT:
            raise ValueError("no small whole exponent")
        if braced and self.take()[1] != "}":
            raise ValueError("an exponent with more in it")
        return self.binary(
            "^", base, self.constant(Fraction(-int(said) if negative else int(said)))
        )

    def constant(self, value: Fraction) -> Node:
        self.constants.append(value)
        return Node("#", index=len(self.constants) - 1)

    def primary(self, depth: int) -> Node:
        kind, said = self.take()
        if kind == "number":
            if self.peek()[0] == "number" or not _NUMBER.fullmatch(said):
                raise ValueError("two numbers, or an odd one")
            return self.constant(Fraction(said.replace(",", "")))
        if kind == "variable":
            return self.variable(said)
        if kind == "frac":
            return self.binary("/", self.group("{", depth), self.group("{", depth))
        if said in ("(", "[", "{"):
            self.at -= 1
            return self.group(said, depth)
        raise ValueError(f"'{said}' is no operand")

    def variable(self, name: str) -> Node:
        """A variable; before a bracket only the usual names are factors, others are functions."""
        bracket = self.peek()[1] == "("
        lone = self.peek(2)[1] == ")" or self.peek(2)[1] == ","
        if name in _CONSTANTS or (bracket and (name not in _FACTORS or lone)):
            raise ValueError("a constant or a function")
        self.names.append(name)
        return Node("#", index=-len(self.names))

    def group(self, opening: str, depth: int) -> Node:
        if self.take()[1] != opening:
            raise ValueError("a bracket is missing")
        inside = self.sum(depth + 1)
        if self.take()[1] != {"(": ")", "[": "]", "{": "}"}[opening]:
            raise ValueError("a bracket is open")
        return inside
