"""Update: carry what was found at a leaf back to the root."""

from collections.abc import Sequence

from reasoner.operators.node import Node

__all__ = ["update"]


def update(walk: Sequence[Node], *, discount: float = 0.96, rate: float = 1.0) -> None:
    """One visit more for every node of a walk from the root, and its quality from its children.

    `Q ← (1 − rate) · Q + rate · Σ N_c · discount · Q_c / Σ N_c`, as in x1 (Besta et al. 2025).
    A node without visited children keeps the quality it was given.
    """
    for node in reversed(walk):
        node.visits += 1
        visited = [child for child in node.children if child.visits and not child.pruned]
        total = sum(child.visits for child in visited)
        if total:
            below = sum(child.visits * discount * child.quality for child in visited) / total
            node.quality = (1 - rate) * node.quality + rate * below
