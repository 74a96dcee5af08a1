"""Backtrack: leave a dead end for the nearest place where something is still untried."""

from reasoner.operators.node import Node

__all__ = ["backtrack"]


def backtrack(node: Node) -> Node | None:
    """The best untried child of the nearest ancestor that has one; None when all is tried.

    Untried is a child that was neither visited nor pruned; its score says how good it is.
    """
    for ancestor in node.ancestors():
        untried = [child for child in ancestor.children if not child.visits and not child.pruned]
        if untried:
            return max(untried, key=lambda child: child.score or 0.0)
    return None
