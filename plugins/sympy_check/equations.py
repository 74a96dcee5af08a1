"""Finding the plain-number equations a text states.

Each `=` between two expressions of plain numbers becomes a `Statement`. Whatever touches a
variable, a function or a sign that is not understood is not one, because it may have been cut
out of something longer; what could be read in another way is kept but marked `doubtful`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sympy_check.expression import Expression, NotArithmetic, parse
from sympy_check.tokens import Kind, MathToken, tokenize

__all__ = ["MAX_TEXT", "Statement", "attach_units", "statements"]

MAX_TEXT = 200_000
MAX_SIDE = 120
MAX_UNITS = 6

_EXPRESSION = {
    Kind.NUMBER,
    Kind.OPERATOR,
    Kind.OPEN,
    Kind.CLOSE,
    Kind.FRACTION,
    Kind.PERCENT,
    Kind.CURRENCY,
}
_STARTS = {Kind.NUMBER, Kind.OPEN, Kind.FRACTION, Kind.CURRENCY}
_SCALES = {"dozen", "dozens", "hundred", "thousand", "million", "billion", "trillion", "score"}
_SCALES |= {"pair", "pairs", "gross", "half", "halves", "quarter", "quarters", "third", "thirds"}
_SCALES |= {"mod", "modulo", "remainder", "squared", "cubed", "factorial", "choose", "am", "pm"}
_JOINS = {"and", "of", "is", "are", "to", "than", "or", "if", "so", "then", "which", "because"}
_PULLS = {
    "plus",
    "minus",
    "times",
    "of",
    "half",
    "twice",
    "double",
    "triple",
    "thrice",
    "over",
    "by",
}
_PULLS |= {
    "than",
    "root",
    "sqrt",
    "log",
    "ln",
    "sin",
    "cos",
    "tan",
    "gcd",
    "lcm",
    "max",
    "min",
    "mod",
}
_PULLS |= {"product", "day", "week", "month", "year", "step", "case", "part", "number", "no", "nos"}
_PULLS |= {"round", "game", "level", "page", "chapter", "question", "problem", "option", "divided"}
_PULLS |= {"increase", "decrease", "sum", "difference", "between", "from", "less", "more", "per"}
_PULLS |= {"multiplied", "added", "subtracted", "minutes", "average", "mean", "median", "negative"}


@dataclass(frozen=True, slots=True)
class Statement:
    """`left = right` as written at `start:end` of the text.

    `doubtful` statements may be confirmed but never refuted. `defined` says that both sides have
    words and operations, as in "price of 2 pens + 3 books = 2 * 1 + 3 * 4".
    """

    left: Expression
    right: Expression
    approximate: bool
    doubtful: bool
    text: str
    start: int
    end: int


def attach_units(tokens: list[MathToken]) -> list[MathToken]:
    """The tokens with the words that name units attached to their numbers."""
    return _units(_groups(tokens))


def statements(text: str) -> Iterator[Statement]:
    """Every plain-number equation of a text, in order."""
    text = text[:MAX_TEXT]
    for clause in _clauses(attach_units(tokenize(text))):
        yield from _chain(clause, text)


def _clauses(tokens: Sequence[MathToken]) -> Iterator[list[MathToken]]:
    clause: list[MathToken] = []
    for token in tokens:
        if token.kind is Kind.BREAK:
            if any(_is_relation(token) for token in clause):
                yield clause
            clause = []
        else:
            clause.append(token)
    if any(_is_relation(token) for token in clause):
        yield clause


def _is_relation(token: MathToken) -> bool:
    return token.kind in (Kind.EQUALS, Kind.APPROX)


def _groups(tokens: list[MathToken]) -> list[MathToken]:
    """Brackets that hold remarks instead of arithmetic become units, breaks or walls."""
    opened: list[int] = []
    drop: set[int] = set()
    for index, token in enumerate(tokens):
        if token.kind is Kind.OPEN:
            opened.append(index)
        elif token.kind is Kind.CLOSE and opened:
            _settle(tokens, opened.pop(), index, drop)
        elif token.kind is Kind.BREAK and opened and token.text in (";", "\n", "?"):
            for start in opened:
                tokens[start].kind = Kind.BREAK
            opened = []
    return [token for index, token in enumerate(tokens) if index not in drop]


def _settle(tokens: list[MathToken], start: int, end: int, drop: set[int]) -> None:
    left, right = tokens[start], tokens[end]
    inside = tokens[start + 1 : end] if end - start < 4 * MAX_SIDE else []
    kinds = {token.kind for token in inside} or {Kind.OTHER}
    if not kinds & {Kind.NUMBER, Kind.OTHER, Kind.FRACTION}:  # (apples): a unit
        if (
            kinds <= {Kind.WORD, Kind.OPERATOR, Kind.BREAK, Kind.CURRENCY}
            and len(inside) <= MAX_UNITS
        ):
            if left.tight and start and tokens[start - 1].kind is Kind.NUMBER:  # 2(losses)
                left.kind = right.kind = Kind.OTHER
                return
            drop.update((start, end))
            for index in range(start + 1, end):
                if tokens[index].kind is not Kind.WORD:
                    drop.add(index)
    elif kinds & {Kind.EQUALS, Kind.APPROX, Kind.BREAK}:
        left.kind = right.kind = Kind.BREAK
    elif Kind.OTHER in kinds:
        left.kind = right.kind = Kind.OTHER


def _units(tokens: Sequence[MathToken]) -> list[MathToken]:
    """Attach the words after a number to it when an operator or relation goes on after them."""
    out: list[MathToken] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        out.append(token)
        index += 1
        if token.kind not in (Kind.NUMBER, Kind.CLOSE, Kind.PERCENT):
            continue
        words, after = _run(tokens, index)
        following = tokens[after] if after < len(tokens) else None
        if words and (following is None or _goes_on(following)):
            _owner(out).units.extend(words)
            index = after
    return out


def _run(tokens: Sequence[MathToken], index: int) -> tuple[list[str], int]:
    """The unit words at `index`, among them "/ hour", and where they end."""
    words: list[str] = []
    while index < len(tokens) and len(words) < MAX_UNITS:
        token = tokens[index]
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if token.kind is Kind.OPERATOR and token.text == "/" and following is not None:
            if following.kind is not Kind.WORD:
                break
            words.append("/")
        elif (
            words and token.text == "^" and following is not None and following.kind is Kind.NUMBER
        ):
            words.append(f"^{following.text}")  # cm^2
            index += 1
        elif token.kind is Kind.WORD and token.text not in _JOINS:
            words.append(token.text)
        else:
            break
        index += 1
    return words, index


def _goes_on(token: MathToken) -> bool:
    return token.kind in (Kind.OPERATOR, Kind.EQUALS, Kind.APPROX, Kind.CLOSE, Kind.BREAK)


def _owner(tokens: Sequence[MathToken]) -> MathToken:
    """The number that the words after the last token belong to."""
    for token in reversed(tokens[-MAX_SIDE:]):
        if token.kind is Kind.NUMBER:
            return token
    return tokens[-1]


def _chain(clause: list[MathToken], text: str) -> Iterator[Statement]:
    """The statements of `a = b = c`, each adjacent pair once."""
    cuts = [index for index, token in enumerate(clause) if _is_relation(token)]
    bounds = [-1, *cuts, len(clause)]
    sides = [clause[a + 1 : b] for a, b in pairwise(bounds)]
    for number, cut in enumerate(cuts):
        left, right = _suffix(sides[number]), _prefix(sides[number + 1])
        if left is None or right is None:
            continue
        (before, doubt_left), (after, doubt_right) = left, right
        yield Statement(
            before,
            after,
            clause[cut].kind is Kind.APPROX,
            doubt_left or doubt_right or _scaled(before) or _scaled(after),
            text[before.start : after.end],
            before.start,
            after.end,
        )


def _scaled(expression: Expression) -> bool:
    return expression.doubtful or any(unit in _SCALES for unit in expression.units)


def _suffix(side: list[MathToken]) -> tuple[Expression, bool] | None:
    """The expression a side ends with, and whether what stands before it makes it doubtful."""
    tail = side[-MAX_SIDE:]
    first = len(tail)
    while first > 0 and (tail[first - 1].kind in _EXPRESSION or _is_of(tail, first - 1)):
        first -= 1
    for start in range(first, len(tail)):
        minus = tail[start].kind is Kind.OPERATOR and tail[start].text == "-"
        if tail[start].kind not in _STARTS and not minus:
            continue
        try:
            expression, used = parse(tail[start:])
        except NotArithmetic:
            continue
        if start + used == len(tail):
            doubt = _boundary(tail[start - 1] if start else None, tail[start])
            if doubt is None or (len(side) > MAX_SIDE and start == 0):
                return None
            return expression, doubt or minus
    return None


def _is_of(tokens: Sequence[MathToken], index: int) -> bool:
    return tokens[index].kind is Kind.WORD and tokens[index].text == "of" and index > 0


def _boundary(before: MathToken | None, first: MathToken) -> bool | None:
    """None: the expression is a piece of something longer; True: it may be; False: it is whole."""
    if before is None:
        return False
    if before.kind is Kind.WORD:
        pulls = before.text in _PULLS or before.text.rstrip("s") in _PULLS
        return pulls or before.text in _SCALES or first.tight
    if before.kind in (Kind.NUMBER, Kind.PERCENT):
        return True
    if before.kind is Kind.OPEN and not first.tight:
        return True
    return None if before.kind is not Kind.OPEN else True


def _prefix(side: list[MathToken]) -> tuple[Expression, bool] | None:
    """The expression a side begins with, and whether what follows makes it doubtful."""
    head = side[:MAX_SIDE]
    if not head or (head[0].kind not in _STARTS and head[0].text not in ("-",)):
        return None
    try:
        expression, used = parse(head)
    except NotArithmetic:
        return None
    if used == len(head):
        return (expression, False) if len(side) <= MAX_SIDE else None
    return _beyond(expression, head[used])


def _beyond(expression: Expression, after: MathToken) -> tuple[Expression, bool] | None:
    if after.kind is Kind.WORD:
        return expression, after.text in _SCALES or after.text in ("of", "times", "plus", "minus")
    if after.kind in (Kind.CLOSE, Kind.OPEN) and not after.tight:
        return expression, True
    return None
