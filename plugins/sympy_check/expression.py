"""Plain arithmetic read with the usual precedence: a parser from tokens to a tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sympy_check.evaluate import Node, evaluate
from sympy_check.tokens import Kind, MathToken

__all__ = ["Expression", "NotArithmetic", "parse", "parse_whole"]

MAX_DEPTH = 40


class NotArithmetic(ValueError):
    """These tokens are no arithmetic expression."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression and what is worth knowing about how it was written.

    `numbers` are its number tokens, `operations` counts binary operators, `percent` and
    `currency` say whether such signs occur, `doubtful` whether another reading is likely.
    """

    root: Node
    numbers: tuple[MathToken, ...]
    operations: int
    additions: int
    percent: bool
    currency: bool
    doubtful: bool
    start: int
    end: int

    def value(
        self, percent: Fraction = Fraction(1, 100), at: int = -1, by: Fraction = Fraction(0)
    ) -> Fraction:
        """The exact value, with number `at` moved by `by`; ZeroDivisionError, TooLarge."""
        values = [token.value for token in self.numbers]
        if at >= 0:
            values[at] += by
        return evaluate(self.root, values, percent)

    @property
    def bare(self) -> bool:
        """Whether it is just a number, perhaps with a sign."""
        return self.operations == 0 and len(self.numbers) == 1

    @property
    def units(self) -> list[str]:
        return [unit for token in self.numbers for unit in token.units]


def parse_whole(tokens: Sequence[MathToken]) -> Expression:
    """Parse all the tokens as one expression, or raise NotArithmetic."""
    expression, used = parse(tokens)
    if used != len(tokens):
        raise NotArithmetic("something is left over")
    return expression


def parse(tokens: Sequence[MathToken]) -> tuple[Expression, int]:
    """Parse the longest expression the tokens begin with; also how many tokens it took."""
    parser = _Parser(tokens)
    root = parser.sum(0)
    used = parser.at
    expression = Expression(
        root,
        tuple(parser.numbers),
        parser.operations,
        parser.additions,
        any(token.kind is Kind.PERCENT for token in tokens[:used]),
        any(token.kind is Kind.CURRENCY for token in tokens[:used]),
        parser.doubtful,
        tokens[0].start,
        tokens[used - 1].end,
    )
    return expression, used


class _Parser:
    def __init__(self, tokens: Sequence[MathToken]) -> None:
        self.tokens, self.at = tokens, 0
        self.numbers: list[MathToken] = []
        self.operations = self.additions = 0
        self.doubtful = False

    def peek(self, ahead: int = 0) -> MathToken | None:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def is_operator(self, signs: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token is not None and token.kind is Kind.OPERATOR and token.text in signs

    def kind(self, ahead: int = 0) -> Kind | None:
        token = self.peek(ahead)
        return token.kind if token is not None else None

    def binary(self, op: str, left: Node, right: Node) -> Node:
        self.operations += 1
        self.additions += op in "+-"
        return Node(op, (left, right))

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise NotArithmetic("nested too deeply")
        left = self.product(depth)
        while self.is_operator("+-"):
            token = self.take()
            sign = token.text
            self.doubtful |= sign == "-" and self.is_range(token)
            left = self.binary(sign, left, self.product(depth))
        return left

    def is_range(self, minus: MathToken) -> bool:
        """`weeks 1-2`, `pages 10-15`: two whole numbers with a hyphen that go up."""
        before, after = self.tokens[self.at - 2], self.peek()
        tight = minus.tight and after is not None and after.tight
        return tight and after is not None and before.value < after.value

    def product(self, depth: int) -> Node:
        left = self.unary(depth)
        while True:
            if self.is_operator("*/"):
                sign = self.take().text
                self.doubtful |= (
                    sign == "/" and left.op == "/" and self.tokens[self.at - 2].text != "}"
                )
                left = self.binary(sign, left, self.unary(depth))
            elif self.is_of():
                self.take()
                left = self.binary("*", left, self.unary(depth))
            elif self.kind() in (Kind.OPEN, Kind.FRACTION) and self.follows_tightly():
                self.doubtful |= self.ambiguous_product()
                left = self.binary("*", left, self.power(depth))
            else:
                return left

    def is_of(self) -> bool:
        """`of` multiplies after a percentage or a fraction: 20% of 50, 2/3 of 30."""
        token = self.peek()
        if token is None or token.kind is not Kind.WORD or token.text != "of" or self.at == 0:
            return False
        before = self.tokens[self.at - 1]
        fraction = self.at >= 3 and self.tokens[self.at - 2].text == "/"
        number = self.kind(1) in (Kind.NUMBER, Kind.CURRENCY, Kind.OPEN, Kind.FRACTION)
        whole = before.kind is Kind.PERCENT or fraction or before.text == "}"
        return number and whole

    def follows_tightly(self) -> bool:
        """Whether a group multiplies what stands before it: 2(3), (2)(3), 5 (4) but not 5 [x]."""
        before = self.tokens[self.at - 1]
        return before.kind in (Kind.NUMBER, Kind.CLOSE) and not before.units

    def ambiguous_product(self) -> bool:
        """`1/2(3)` and `6 (2)` can be read otherwise, `2(3)` cannot."""
        token = self.tokens[self.at]
        after_slash = self.at >= 2 and self.tokens[self.at - 2].text == "/"
        return after_slash or not token.tight

    def unary(self, depth: int) -> Node:
        if self.is_operator("-+"):
            sign = self.take().text
            if self.is_operator("-+"):
                raise NotArithmetic("two signs")
            operand = self.unary(depth + 1)
            return Node("~", (operand,)) if sign == "-" else operand
        return self.power(depth)

    def power(self, depth: int) -> Node:
        base = self.postfix(depth)
        if not self.is_operator("^"):
            return base
        self.take()
        sign = self.is_operator("-")
        if sign:
            self.take()
        exponent = self.power(depth + 1)
        return self.binary("^", base, Node("~", (exponent,)) if sign else exponent)

    def postfix(self, depth: int) -> Node:
        node = self.primary(depth)
        if self.kind() is Kind.PERCENT:
            self.take()
            return Node("%", (node,))
        return node

    def primary(self, depth: int) -> Node:
        if self.kind() is Kind.CURRENCY:
            self.take()
        token = self.peek()
        if token is None:
            raise NotArithmetic("an operand is missing")
        if token.kind is Kind.NUMBER:
            return self.number()
        if token.kind is Kind.OPEN:
            return self.group(depth)
        if token.kind is Kind.FRACTION:
            self.take()
            return self.binary("/", self.braced(depth), self.braced(depth))
        raise NotArithmetic(f"'{token.text}' is no operand")

    def number(self) -> Node:
        """A number, or a mixed one: 3 1/2, 1\\frac{4}{5}."""
        whole = self.leaf()
        last = self.tokens[self.at - 1]
        if last.places or last.units:
            return whole
        if self.kind() is Kind.NUMBER and self.is_operator("/", 1) and self.kind(2) is Kind.NUMBER:
            top, bottom = self.peek(), self.peek(2)
            assert top is not None
            assert bottom is not None
            if not top.places and not top.units and top.value < bottom.value:
                self.doubtful = True
                over = self.leaf()
                self.take()
                return Node("+", (whole, Node("/", (over, self.leaf()))))
        if self.kind() is Kind.FRACTION:
            self.doubtful = True
            self.take()
            return Node("+", (whole, Node("/", (self.braced(0), self.braced(0)))))
        return whole

    def leaf(self) -> Node:
        self.numbers.append(self.take())
        return Node("#", index=len(self.numbers) - 1)

    def group(self, depth: int) -> Node:
        self.take()
        inside = self.sum(depth + 1)
        if self.kind() is not Kind.CLOSE:
            raise NotArithmetic("a bracket is open")
        self.take()
        return inside

    def braced(self, depth: int) -> Node:
        token = self.peek()
        if token is not None and token.kind is Kind.NUMBER and len(token.text) == 1:
            return self.leaf()  # \frac{270}7
        if token is None or token.text != "{":
            raise NotArithmetic("a fraction without its parts")
        return self.group(depth)

    def take(self) -> MathToken:
        token = self.tokens[self.at]
        self.at += 1
        return token
