"""Pruning of nodes, which frees their share of the prefix cache, and merging of duplicates."""

from collections.abc import Sequence

from reasoner.operators.node import Node
from reasoner.operators.tools import Tools

__all__ = ["drop", "merge", "prune"]


def prune(context: Tools, nodes: Sequence[Node], width: int) -> list[Node]:
    """The `width` best-scored nodes, the best first; the others are discarded (see `drop`)."""
    ranked = sorted(nodes, key=lambda node: -1.0 if node.score is None else node.score)
    ranked.reverse()
    drop(context, ranked[width:])
    return ranked[:width]


def drop(context: Tools, nodes: Sequence[Node]) -> None:
    """Mark nodes as pruned, emit them, and free their share of the prefix cache, except for the
    part that they share with a node that may still be extended."""
    for node in nodes:
        node.pruned = True
    for node in nodes:
        shared = next((ancestor for ancestor in node.ancestors() if _is_open(ancestor)), None)
        context.drop(node.path, shared.path if shared else None)
        context.tell(node)


def _is_open(node: Node) -> bool:
    """Whether the node has a leaf in its subtree that may still be extended."""
    return any(not (n.children or n.pruned or n.path.done) for n in node.subtree())


def merge(nodes: Sequence[Node]) -> list[Node]:
    """The nodes without duplicates; each remaining node counts its own in `copies`.

    Nodes are duplicates when the texts of their steps and answers are equal up to white space.
    """
    distinct: dict[tuple[str, ...], Node] = {}
    for node in nodes:
        texts = (*(step.text for step in node.path.steps), node.path.answer)
        state = tuple(" ".join(text.split()) for text in texts)
        if state in distinct:
            distinct[state].copies += node.copies
            node.same = distinct[state]
        else:
            distinct[state] = node
    return list(distinct.values())
