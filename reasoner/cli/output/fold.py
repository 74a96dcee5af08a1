"""A tree in as many lines as a window has: what matters least is folded away.

Steps in a row without a fork share a line. The best path comes first, then what is being written,
then answers, then open states by their value, pruned ones last.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from reasoner.cli.output.branch import label, mark, metrics
from reasoner.cli.output.outline import (
    MIN_TEXT_COLUMNS,
    MIN_WIDE_COLUMNS,
    connected,
    fitted,
    indented,
    top,
)
from reasoner.cli.output.segments import DIM, Segment, width_of
from reasoner.cli.output.terminal import one_line
from reasoner.trace.state import TraceNode
from reasoner.trace.tree import SearchTree

__all__ = ["fold_tree"]


@dataclass(eq=False, slots=True)
class _Chain:
    """States in a row without a fork, seen as their last one; `unseen` children are folded."""

    last: TraceNode
    steps: int
    children: list[TraceNode]
    unseen: int


def fold_tree(tree: SearchTree, width: int, height: int) -> list[list[Segment]]:
    """The tree in at most `height` lines (at least one) of at most `width` columns."""
    best = {state.id for state in tree.best_path()}
    start = top(tree)
    root = _Chain(start, 0, _shown(start), len(_shown(start)))
    chains = _choose(tree, root, best, max(1, height))
    return list(_lines(tree, root, chains, best, width))


def _chain(state: TraceNode) -> _Chain:
    steps = 1
    while len(children := _shown(state)) == 1:
        state, steps = children[0], steps + 1
    return _Chain(state, steps, children, len(children))


def _shown(state: TraceNode) -> list[TraceNode]:
    return [child for child in state.children if child.same is None]


def _choose(tree: SearchTree, root: _Chain, best: set[int], height: int) -> dict[int, _Chain]:
    """The chains to show, by the id of their first state: those of the highest rank that fit."""
    busy = {up.id for tip in tree.tips() for up in (tip, *tip.ancestors())}
    chosen: dict[int, _Chain] = {}
    waiting: list[tuple[tuple[float, ...], int, _Chain, _Chain]] = []

    def offer(above: _Chain) -> None:
        for first in above.children:
            chain = _chain(first)
            heappush(waiting, (_rank(chain.last, best, busy), first.id, chain, above))

    used = 1 if root.children else 0  # the line that counts what is folded
    offer(root)
    while waiting and used <= height:
        _, first, chain, above = heappop(waiting)
        cost = 1 + bool(chain.children) - (above.unseen == 1)
        if used + cost > height:
            continue
        used += cost
        above.unseen -= 1
        chosen[first] = chain
        offer(chain)
    return chosen


def _rank(state: TraceNode, best: set[int], busy: set[int]) -> tuple[float, ...]:
    """The lower, the sooner it is shown."""
    ended = state.candidate is not None
    value = state.score if ended else state.value_score
    unpruned = not state.pruned
    return (
        -(state.id in best),
        -(state.id in busy),
        -(ended and unpruned),
        -unpruned,
        -(0.0 if value is None else value),
    )


def _lines(
    tree: SearchTree, root: _Chain, chains: dict[int, _Chain], best: set[int], width: int
) -> "list[list[Segment]]":
    lines: list[list[Segment]] = []
    waiting = _below(root, chains, "")
    while waiting:
        chain, before, lead = waiting.pop()
        head = indented(before, width)
        if isinstance(chain, str):
            lines.append([*head, (chain, DIM)])
        else:
            lines.append(_line(tree, chain, head, chain.last.id in best, width))
            waiting += _below(chain, chains, lead)
    return lines


def _below(
    chain: _Chain, chains: dict[int, _Chain], lead: str
) -> "list[tuple[_Chain | str, str, str]]":
    """The rows below a chain, the first one last: its children, and a count of folded ones."""
    rows: list[_Chain | str] = [chains[c.id] for c in chain.children if c.id in chains]
    folded = [child for child in chain.children if child.id not in chains]
    if folded:
        pruned = sum(child.pruned for child in folded)
        rows.append(f"… {len(folded)} more" + (f", {pruned} pruned" if pruned else ""))
    return connected(rows, lead)


def _line(
    tree: SearchTree, chain: _Chain, before: list[Segment], best: bool, width: int
) -> list[Segment]:
    """The line of a chain: its last state, or the text that is being written after it."""
    state = chain.last
    head = [*before, *mark(state, best=best), (" ", "")]
    wide = width >= MIN_WIDE_COLUMNS
    figures = metrics(state, wide=wide)
    if chain.steps > 1:
        figures.append((f" · {chain.steps} steps" if wide else f" +{chain.steps - 1}", DIM))
    if unfinished := one_line(tree.unfinished_text(state)[-4 * width :]):
        used = sum(width_of(text) for text, _ in (*head, *figures))
        columns = max(MIN_TEXT_COLUMNS, width - used)
        texts: list[Segment] = [(unfinished[1 - columns :], DIM)]
    else:
        texts = label(state, best=best)
    return fitted(head, texts, figures, width)
