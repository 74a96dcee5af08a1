"""A whole tree as lines: a chain goes straight down, a fork is indented."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from reasoner.cli.output.branch import details, label, mark, metrics
from reasoner.cli.output.segments import DIM, Segment, shortened, width_of
from reasoner.trace.state import TraceNode
from reasoner.trace.tree import SearchTree

__all__ = [
    "MIN_TEXT_COLUMNS",
    "MIN_WIDE_COLUMNS",
    "connected",
    "fitted",
    "indented",
    "outline_tree",
    "top",
]

MIN_WIDE_COLUMNS = 76
"""Columns from which on the figures are named."""
MIN_TEXT_COLUMNS = 12
"""Columns that the text of a line keeps, however many the figures take."""
Row = TypeVar("Row")


def outline_tree(tree: SearchTree, width: int | None) -> Iterator[list[Segment]]:
    """The lines of all states, depth first, each with its details below it."""
    best = {state.id for state in tree.best_path()}
    wide = width is None or width >= MIN_WIDE_COLUMNS
    waiting = _children(top(tree), "")
    while waiting:
        state, before, lead = waiting.pop()
        waiting += _children(state, lead)
        head = [*indented(before, width), *mark(state, best=state.id in best), (" ", "")]
        texts = label(state, best=state.id in best, unfinished=tree.unfinished_text(state))
        yield fitted(head, texts, metrics(state, wide=wide), width)
        for line in details(state):
            yield [*indented(lead, width), ("  ", ""), *line]


def top(tree: SearchTree) -> TraceNode:
    """The state below which the tree is shown: the question, or its only and empty child."""
    children = tree.root.children
    alone = len(children) == 1 and children[0].step is None and not children[0].done
    return children[0] if alone and children[0].children else tree.root


def _children(state: TraceNode, lead: str) -> list[tuple[TraceNode, str, str]]:
    """The children with their connectors, the first one last; a single one goes straight down.

    Copies of another state are left out; that state counts them.
    """
    children = [child for child in state.children if child.same is None]
    return [(children[0], lead, lead)] if len(children) == 1 else connected(children, lead)


def connected(rows: Sequence[Row], lead: str) -> list[tuple[Row, str, str]]:
    """The rows below a line that begins with `lead`, as a stack: the first row last.

    With each row stands what comes before its own line, and before the lines below it.
    """
    placed = [(row, f"{lead}├ ", f"{lead}│ ") for row in rows[:-1]]
    placed += [(row, f"{lead}└ ", f"{lead}  ") for row in rows[-1:]]
    return placed[::-1]


def indented(lead: str, width: int | None) -> list[Segment]:
    """What stands before a line; never more than half of the width."""
    limit = None if width is None else width // 2
    if limit is not None and len(lead) > limit:
        lead = "…" + lead[len(lead) - limit + 1 :]
    return [(lead, DIM)]


def fitted(
    head: list[Segment], texts: list[Segment], figures: list[Segment], width: int | None
) -> list[Segment]:
    """One line in which the figures stay and the last text is shortened to what fits."""
    if width is None:
        return [*head, *texts, *figures]
    *first, (text, style) = texts
    used = sum(width_of(part) for part, _ in (*head, *first, *figures))
    text = shortened(text, max(MIN_TEXT_COLUMNS, width - used))
    return [*head, *first, (text, style), *figures]
