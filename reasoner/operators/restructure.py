"""Restructure: turn one structure of thought into another."""

from collections.abc import Callable

from reasoner.operators.node import Node
from reasoner.path import Path

__all__ = ["best_leaf", "head"]


def best_leaf(root: Node, rate: Callable[[Node], float]) -> Node:
    """Tree to chain: the leaf reached by the best-rated child at every fork."""
    node = root
    while kept := [child for child in node.children if not child.pruned]:
        node = max(kept, key=rate)
    return node


def head(path: Path, count: int) -> Path:
    """Chain to shorter chain: the path as it was after its first `count` steps; the path itself
    when it has no more than these."""
    if count >= len(path.steps):
        return path
    steps = path.steps[:count]
    kept = path.cut(sum(step.tokens for step in steps))
    return Path(prompt=path.prompt, tokens=kept.tokens, doubts=kept.doubts, steps=steps)
