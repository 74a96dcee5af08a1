"""Prune: drop what is not worth going on with."""

from collections.abc import Sequence

from reasoner.operators.node import Node

__all__ = ["merge"]


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
        else:
            kept[state] = node
    return list(kept.values())
