"""Backtracking from a dead end to the nearest untried node."""

from reasoner.search.operators.node import SearchNode

__all__ = ["next_untried_node"]


def next_untried_node(node: SearchNode) -> SearchNode | None:
    """The best-scored untried child of the nearest ancestor that has one; None when there is none.

    A child is untried when it was neither visited nor pruned.
    """
    for ancestor in node.ancestors():
        untried = [child for child in ancestor.children if not child.visits and not child.pruned]
        if untried:
            return max(untried, key=lambda child: child.score or 0.0)
    return None
