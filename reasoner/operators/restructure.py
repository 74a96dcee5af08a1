"""Chains taken from trees, and prefixes of chains."""

from collections.abc import Callable

from reasoner.operators.node import Node
from reasoner.path import Path

__all__ = ["best_leaf", "head"]


def best_leaf(root: Node, score: Callable[[Node], float]) -> Node:
    """The leaf that is reached by following the best-scored child that is not pruned."""
    node = root
    while children := [child for child in node.children if not child.pruned]:
        node = max(children, key=score)
    return node


def head(trajectory: Path, count: int) -> Path:
    """The trajectory as it was after its first `count` steps; unchanged when it has no more."""
    if count >= len(trajectory.steps):
        return trajectory
    steps = trajectory.steps[:count]
    prefix = trajectory.cut(sum(step.tokens for step in steps))
    return Path(prompt=trajectory.prompt, tokens=prefix.tokens, doubts=prefix.doubts, steps=steps)
