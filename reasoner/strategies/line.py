"""Rollouts: a trajectory is continued to its end and becomes a candidate."""

from collections.abc import Iterable

from reasoner.attempt import Attempt
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["finish", "finish_all", "line", "plant"]


def plant(problem: Problem, context: Tools) -> Node:
    """A new root node with the trajectory at which the search begins."""
    root = Node(context.start(problem), next(context.numbers))
    context.tell(root)
    return root


async def line(
    problem: Problem, context: Tools, *, prune: bool, asked: Problem | None = None
) -> Attempt:
    """A candidate for the problem by one rollout; with `prune`, refuted steps are sampled again.

    `asked` is the problem as the model is prompted with it, where that differs from `problem`, on
    which the candidate is verified. Raises what the context's `start` and `extend` do.
    """
    return await finish(problem, context, plant(asked or problem, context), prune=prune)


async def finish(problem: Problem, context: Tools, node: Node, *, prune: bool) -> Attempt:
    """A candidate by a rollout from the node; the node's tree stays unchanged."""
    leaf = node
    while not leaf.path.done:
        copy = Node(leaf.path, leaf.number, leaf.parent)
        [leaf] = await generate(context, copy, prune=prune)
    keep = node.parent.path if node.path.done and node.parent else node.path
    return await context.attempt(problem, leaf.path, leaf.number, keep)


async def finish_all(
    problem: Problem, context: Tools, nodes: Iterable[Node], *, prune: bool
) -> list[Attempt]:
    """Candidates by concurrent rollouts from several nodes."""
    return await together(finish(problem, context, node, prune=prune) for node in nodes)
