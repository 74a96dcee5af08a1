"""Pruning of nodes, which frees their share of the prefix cache, and merging of duplicates."""

from collections.abc import Sequence

from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode

__all__ = ["discard_nodes", "merge_duplicates", "prune_nodes"]


def prune_nodes(
    context: SearchContext, nodes: Sequence[SearchNode], width: int
) -> list[SearchNode]:
    """The `width` best-scored nodes, the best first; the others go to `discard_nodes`."""
    ranked = sorted(nodes, key=lambda node: -1.0 if node.score is None else node.score)
    ranked.reverse()
    discard_nodes(context, ranked[width:])
    return ranked[:width]


def discard_nodes(context: SearchContext, nodes: Sequence[SearchNode]) -> None:
    """Mark nodes as pruned, emit them, and free their share of the prefix cache, except for the
    part that they share with a node that may still be extended."""
    for node in nodes:
        node.pruned = True
    for node in nodes:
        shared = next((ancestor for ancestor in node.ancestors() if _is_open(ancestor)), None)
        context.release_trajectory(node.trajectory, shared.trajectory if shared else None)
        context.emit_node(node)


def _is_open(node: SearchNode) -> bool:
    """Whether the node has a leaf in its subtree that may still be extended."""
    return any(not (n.children or n.pruned or n.trajectory.is_done) for n in node.subtree())


def merge_duplicates(nodes: Sequence[SearchNode]) -> list[SearchNode]:
    """The nodes without duplicates; each remaining node counts its own in `sample_count`.

    Nodes are duplicates when the texts of their steps and answers are equal up to white space.
    """
    distinct: dict[tuple[str, ...], SearchNode] = {}
    for node in nodes:
        texts = (*(step.text for step in node.trajectory.steps), node.trajectory.answer)
        state = tuple(" ".join(text.split()) for text in texts)
        if state in distinct:
            distinct[state].sample_count += node.sample_count
            node.duplicate_of = distinct[state]
        else:
            distinct[state] = node
    return list(distinct.values())
