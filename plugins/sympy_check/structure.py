"""Answers made of parts: lists, sets, tuples, intervals, unions, ±, matrices."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy_check.normal import closes_at_end
from sympy_check.outcome import ANSWERS_DIFFER, ANSWERS_EQUAL, Equality, Relation, undecided

__all__ = ["compare_structures"]

Compare = Callable[[str, str], Equality]
MAX_PARTS = 40
_MATRIX = re.compile(r"\\begin ?\{[pbB]?matrix\}(.*)\\end ?\{[pbB]?matrix\}", re.DOTALL)
_JOINT = re.compile(
    r"\\text ?\{,? ?(?:and|or) ?\}|(?<![A-Za-z\\]),? (?:and|or) |;|\\ (?:and|or)\\ "
)
_SIGNS = re.compile(r"\\pm(?![A-Za-z])")
_OPEN, _CLOSE = "([{", ")]}"
_NAME = re.compile(r"([A-Za-z])(?:_\{?\w{1,3}\}?)? ?= ?")
_INEQUALITY = re.compile(r"[<>]|\\[lg](?:eq?|t)(?:slant)?(?![a-z])|\\ne")
_PAIRED = re.compile(r"\( ?([A-Za-z]) ?, ?([A-Za-z]) ?\) ?= ?\(([^(),]{1,80}),([^(),]{1,80})\)$")
_REVERSED = re.compile(r"([\[\]])([^\[\](),]+),([^\[\](),]+)([\[\]])")


@dataclass(frozen=True, slots=True)
class Parts:
    """`kind` is `(`…`]` as written for ordered parts, `{` for a set, empty for a bare list."""

    kind: str
    items: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        return self.kind not in ("", "{}", "u", "±")


def compare_structures(left: str, right: str, compare: Compare) -> Equality | None:
    """Compare two answers of which one at least has parts; None when neither has."""
    ours, theirs = _parts(left), _parts(right)
    if ours is None and theirs is None:
        return None
    if bool(_INEQUALITY.search(left)) != bool(_INEQUALITY.search(right)):
        return None
    if "u" in (ours and ours.kind, theirs and theirs.kind):
        return _unions(ours, theirs, compare)
    if ours is None or theirs is None:
        return _one_sided(ours, theirs, left, right, compare)
    if max(len(ours.items), len(theirs.items)) > MAX_PARTS:
        return undecided("too many parts")
    if not ours.ordered and not theirs.ordered:
        ours, theirs = _distinct(ours), _distinct(theirs)
    if len(ours.items) != len(theirs.items):
        return ANSWERS_DIFFER
    if ours.ordered or theirs.ordered:
        return _ordered(ours, theirs, compare)
    return _unordered(ours.items, theirs.items, compare)


def _unions(ours: Parts | None, theirs: Parts | None, compare: Compare) -> Equality | None:
    """Unions of the same parts are equal; others may overlap, which is not decided here."""
    if ours is None or theirs is None or ours.kind != theirs.kind:
        return None
    same = max(len(ours.items), len(theirs.items)) <= MAX_PARTS and (
        len(ours.items) == len(theirs.items)
        and _unordered(ours.items, theirs.items, compare).relation is Relation.EQUAL
    )
    return ANSWERS_EQUAL if same else None


def _distinct(parts: Parts) -> Parts:
    return Parts(parts.kind, tuple({item.replace(" ", ""): item for item in parts.items}.values()))


def _one_sided(
    ours: Parts | None, theirs: Parts | None, left: str, right: str, compare: Compare
) -> Equality | None:
    parts, other = (ours, right) if ours else (theirs, left)
    assert parts is not None
    if len(parts.items) == 1 and parts.kind in ("{}", ""):
        return compare(parts.items[0], other) if ours else compare(other, parts.items[0])
    if parts.kind.startswith("m") and r"\begin" in other:
        return None
    if re.search(r"\\le|\\ge|<|>|\\ne|\\in(?![a-z])|\\mathbb|\\infty|\\cup", other):
        return None
    if re.search(r"[A-Za-z]{3}", re.sub(r"\\[A-Za-z]+", "", other)):
        return undecided("words against a list")
    return ANSWERS_DIFFER


def _ordered(ours: Parts, theirs: Parts, compare: Compare) -> Equality:
    same = _all([compare(a, b) for a, b in zip(ours.items, theirs.items, strict=True)])
    if ours.kind == theirs.kind:
        return same
    if same.relation is Relation.EQUAL:
        if not theirs.kind or not ours.kind:
            return ANSWERS_EQUAL
        brackets = set(ours.kind + theirs.kind) <= set("()[]")
        return ANSWERS_DIFFER if brackets else undecided("the same parts, in another kind of list")
    return undecided("a list in another order or kind") if "" in (ours.kind, theirs.kind) else same


def _all(results: Sequence[Equality]) -> Equality:
    for result in results:
        if result.relation is Relation.DIFFERENT:
            return ANSWERS_DIFFER
    return next((r for r in results if r.relation is Relation.UNDECIDED), ANSWERS_EQUAL)


def _unordered(ours: Sequence[str], theirs: Sequence[str], compare: Compare) -> Equality:
    """Match each expected part with one that was given."""
    left = list(theirs)
    open_reason = ""
    for item in ours:
        results = [compare(item, other) for other in left]
        equal = [n for n, result in enumerate(results) if result.relation is Relation.EQUAL]
        if equal:
            left.pop(equal[0])
        elif any(result.relation is Relation.UNDECIDED for result in results):
            open_reason = next(r.reason for r in results if r.relation is Relation.UNDECIDED)
        else:
            return ANSWERS_DIFFER
    return undecided(open_reason) if open_reason else ANSWERS_EQUAL


def _parts(text: str) -> Parts | None:
    text = text.strip()
    text = _PAIRED.sub(lambda m: f"{m[1]}={m[3]},{m[2]}={m[4]}", text)
    matrix = _MATRIX.fullmatch(text)
    if matrix and text.count(r"\begin") == 1:
        rows = [row.strip() for row in matrix[1].split("\\\\") if row.strip()]
        cells = [cell.strip() for row in rows for cell in row.split("&")]
        return Parts(f"m{len(rows)}", tuple(cells))
    while text.startswith("{") and closes_at_end(text):  # LaTeX groups, invisible
        text = text[1:-1].strip()
    text = _JOINT.sub(", ", text).replace(",,", ",")
    text = (
        text.replace("\\{", "{")
        .replace("\\}", "}")
        .replace("\\lbrace", "{")
        .replace("\\rbrace", "}")
    )
    if reverse := _REVERSED.fullmatch(text):
        ends = ("(" if reverse[1] == "]" else "[") + (")" if reverse[4] == "[" else "]")
        return Parts(ends, (reverse[2].strip(), reverse[3].strip()))
    union = re.split(r"\\cup(?![a-z])", text)
    if len(union) > 1:
        return Parts("u", tuple(part.strip() for part in union))
    items = _split(text)
    if len(items) > 1:
        return _named(Parts("", tuple(part for item in items for part in _plus_minus(item))))
    if text and text[0] in _OPEN and closes_at_end(text):
        inner = _split(text[1:-1])
        if len(inner) == 1 and text[0] == "(" and "\\begin" in text:
            return _parts(text[1:-1])
        if len(inner) > 1 or text[0] == "{":
            return Parts(text[0] + text[-1], tuple(inner))
    both = _plus_minus(text)
    return Parts("±", tuple(both)) if len(both) > 1 else None


def _named(parts: Parts) -> Parts:
    """`n = 2, 3, 4` and `x_1 = 2, x_2 = 3`: the names say nothing about the values."""
    names = [_NAME.match(item) for item in parts.items]
    letters = {name[1] for name in names if name}
    if names[0] is None or len(letters) != 1:
        return parts
    items = [_NAME.sub("", item) for item in parts.items]
    return Parts(parts.kind, tuple(items)) if not any("=" in item for item in items) else parts


def _plus_minus(text: str) -> list[str]:
    if len(_SIGNS.findall(text)) != 1:
        return [text]
    return [_SIGNS.sub("+", text), _SIGNS.sub("-", text)]


def _split(text: str) -> list[str]:
    """Split at the commas outside all brackets; half-open intervals count as brackets."""
    items, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if character == "," and depth <= 0:
            items.append(text[start:index].strip())
            start = index + 1
    items.append(text[start:].strip())
    return [item for item in items if item]
