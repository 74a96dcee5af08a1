"""Rollouts: a trajectory is continued to its end and becomes a candidate."""

from collections.abc import Iterable

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.types.candidate import Candidate
from reasoner.types.problem import Problem

__all__ = ["create_root", "rollout", "rollout_from_node", "rollout_from_nodes"]


def create_root(problem: Problem, context: SearchContext) -> SearchNode:
    """A new root node with the trajectory at which the search begins."""
    root = SearchNode(context.start_trajectory(problem), next(context.trajectory_numbers))
    context.emit_node(root)
    return root


async def rollout(
    problem: Problem,
    context: SearchContext,
    *,
    drop_refuted: bool,
    prompt_problem: Problem | None = None,
) -> Candidate:
    """A candidate for the problem by one rollout; with `drop_refuted`, refuted steps are sampled
    again.

    `prompt_problem` is the problem as the model is prompted with it, where that differs from
    `problem`, on which the candidate is verified. Raises what the context's `start_trajectory` and
    `extend_trajectory` do.
    """
    return await rollout_from_node(
        problem, context, create_root(prompt_problem or problem, context), drop_refuted=drop_refuted
    )


async def rollout_from_node(
    problem: Problem, context: SearchContext, node: SearchNode, *, drop_refuted: bool
) -> Candidate:
    """A candidate by a rollout from the node; the node's tree stays unchanged."""
    leaf = node
    while not leaf.trajectory.is_done:
        copy = SearchNode(leaf.trajectory, leaf.number, leaf.parent)
        [leaf] = await sample_children(context, copy, drop_refuted=drop_refuted)
    keep = node.parent.trajectory if node.trajectory.is_done and node.parent else node.trajectory
    return await context.finish_candidate(problem, leaf.trajectory, leaf.number, keep)


async def rollout_from_nodes(
    problem: Problem, context: SearchContext, nodes: Iterable[SearchNode], *, drop_refuted: bool
) -> list[Candidate]:
    """Candidates by concurrent rollouts from several nodes."""
    return await gather_all(
        rollout_from_node(problem, context, node, drop_refuted=drop_refuted) for node in nodes
    )
