"""Backpropagation in Monte-Carlo tree search."""

from collections.abc import Sequence

from reasoner.search.operators.node import SearchNode

__all__ = ["backpropagate"]


def backpropagate(
    nodes: Sequence[SearchNode], *, discount: float = 0.96, rate: float = 1.0
) -> None:
    """Add a visit to each node from the root to a leaf, and recompute its Q from its children.

    `Q ← (1 − rate) · Q + rate · Σ N_c · discount · Q_c / Σ N_c`, as in x1 (Besta et al. 2025).
    A node without visited children keeps its Q.
    """
    for node in reversed(nodes):
        node.visits += 1
        visited = [child for child in node.children if child.visits and not child.pruned]
        visit_count = sum(child.visits for child in visited)
        if visit_count:
            weighted = sum(child.visits * discount * child.q_value for child in visited)
            mean = weighted / visit_count
            node.q_value = (1 - rate) * node.q_value + rate * mean
