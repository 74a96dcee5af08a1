"""Chains taken from trees, and prefixes of chains."""

from collections.abc import Callable

from reasoner.search.operators.node import SearchNode
from reasoner.types.trajectory import Trajectory

__all__ = ["best_leaf", "first_steps"]


def best_leaf(root: SearchNode, score: Callable[[SearchNode], float]) -> SearchNode:
    """The leaf that is reached by following the best-scored child that is not pruned."""
    node = root
    while children := [child for child in node.children if not child.pruned]:
        node = max(children, key=score)
    return node


def first_steps(trajectory: Trajectory, count: int) -> Trajectory:
    """The trajectory as it was after its first `count` steps; unchanged when it has no more."""
    if count >= len(trajectory.steps):
        return trajectory
    steps = trajectory.steps[:count]
    prefix = trajectory.truncated_to(sum(step.tokens for step in steps))
    return Trajectory(
        prompt=trajectory.prompt,
        tokens=prefix.tokens,
        token_statistics=prefix.token_statistics,
        steps=steps,
    )
