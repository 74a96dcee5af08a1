"""A whole tree as lines: a chain goes straight down, a fork is indented."""

from collections.abc import Iterator

from reasoner.cli.output.branch import details, label, mark, metrics
from reasoner.cli.output.pieces import DIM, Piece, width_of
from reasoner.trace.state import State
from reasoner.trace.tree import SearchTree

__all__ = ["WIDE", "fitted", "indented", "outline", "top"]

WIDE = 76
"""Columns from which on the figures are named."""


def outline(tree: SearchTree, width: int | None) -> Iterator[list[Piece]]:
    """Every state in the order of its telling, with what more there is to say of it."""
    best = {state.id for state in tree.best()}
    waiting = _children(top(tree), "")
    while waiting:
        state, before, lead = waiting.pop()
        waiting += _children(state, lead)
        head = [*mark(state, best=state.id in best), (" ", "")]
        said = label(state, best=state.id in best, unfinished=tree.unfinished(state))
        wide = width is None or width >= WIDE
        yield fitted(indented(before, width) + head, said, metrics(state, wide=wide), width)
        for line in details(state):
            yield [*indented(lead, width), ("  ", ""), *line]


def top(tree: SearchTree) -> State:
    """Where the tree begins to be worth showing: below the question and a single empty start."""
    children = tree.root.children
    alone = len(children) == 1 and children[0].step is None and not children[0].done
    return children[0] if alone and children[0].children else tree.root


def _children(state: State, lead: str) -> list[tuple[State, str, str]]:
    """The children with what stands before their own line and before those below it, the first
    one last. Copies of another one are left out; that one counts them."""
    children = [child for child in state.children if child.same is None]
    if len(children) == 1:
        return [(children[0], lead, lead)]
    placed = [(child, f"{lead}├ ", f"{lead}│ ") for child in children[:-1]]
    placed += [(child, f"{lead}└ ", f"{lead}  ") for child in children[-1:]]
    return placed[::-1]


def indented(lead: str, width: int | None) -> list[Piece]:
    """What stands before a line; never more than half of the width."""
    most = None if width is None else width // 2
    if most is not None and len(lead) > most:
        lead = "…" + lead[len(lead) - most + 1 :]
    return [(lead, DIM)]


def fitted(
    head: list[Piece], said: list[Piece], figures: list[Piece], width: int | None
) -> list[Piece]:
    """One line in which the figures stay and the text gives way, down to twelve columns of it."""
    if width is None:
        return [*head, *said, *figures]
    room = width - sum(width_of(text) for text, _ in (*head, *figures))
    first, (text, style) = said[:-1], said[-1]
    room = max(12, room - sum(width_of(text) for text, _ in first))
    if width_of(text) > room:
        from rich.cells import set_cell_size

        text = set_cell_size(text, room - 1) + "…"
    return [*head, *first, (text, style), *figures]
