"""Prune: drop what is not worth going on with, and free what it held."""

from collections.abc import Sequence

from reasoner.operators.node import Node
from reasoner.operators.tools import Tools

__all__ = ["drop", "merge", "prune"]


def prune(tools: Tools, nodes: Sequence[Node], keep: int) -> list[Node]:
    """The `keep` best-scored nodes, the best first; the others are marked, told, and their
    share of the cache is freed at once."""
    ranked = sorted(nodes, key=lambda node: -1.0 if node.score is None else node.score)
    ranked.reverse()
    drop(tools, ranked[keep:])
    return ranked[:keep]


def drop(tools: Tools, nodes: Sequence[Node]) -> None:
    """Mark nodes as pruned; the cache keeps of them what leads to an open state elsewhere."""
    for node in nodes:
        node.pruned = True
    for node in nodes:
        stem = next((up for up in node.ancestors() if _leads_on(up)), None)
        tools.drop(node.path, stem.path if stem else None)
        tools.tell(node)


def _leads_on(node: Node) -> bool:
    """Whether there is a leaf below the node that may still be grown."""
    return any(not (n.children or n.pruned or n.path.done) for n in node.subtree())


def merge(nodes: Sequence[Node]) -> list[Node]:
    """The nodes without those that say the same as an earlier one; that one counts them.

    Two states are the same when their tokens are, or their steps and answer up to white space.
    """
    kept: dict[tuple[str, ...], Node] = {}
    for node in nodes:
        texts = (*(step.text for step in node.path.steps), node.path.answer)
        state = tuple(" ".join(text.split()) for text in texts)
        if state in kept:
            kept[state].copies += node.copies
            node.same = kept[state]
        else:
            kept[state] = node
    return list(kept.values())
