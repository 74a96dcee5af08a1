"""Expansion of a node by the likeliest next steps in an environment, instead of sampled ones."""

from contextlib import aclosing

from reasoner.policy.likely_lines import LineContinuation
from reasoner.protocol.protocol import finish_trajectory
from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.events import VerdictEvent
from reasoner.types.problem import Problem
from reasoner.types.trajectory import FinishReason, Trajectory

__all__ = ["expand_in_environment"]

CHOICES_PER_CHILD = 3
"""One child is created for so many possible steps, or `width` children where that is more."""
MIN_UNIFORM_SHARE = 0.15
"""Steps are considered whose probability is at least this share of the uniform probability."""
MAX_PROBABILITY_MASS = 0.95
"""Expansion ends once the steps considered have this probability together."""


async def expand_in_environment(
    problem: Problem,
    context: SearchContext,
    node: SearchNode,
    environment: EnvironmentState,
    width: int,
) -> list[SearchNode]:
    """The node's new children: the likeliest next steps, each scored by its probability, or 1 where
    it reaches a solution.

    Steps that the environment refutes are left out, and so are those that lead to a state which is
    in the tree already. Nothing is sampled, so no step occurs twice. Raises what the policy's
    `start_trajectory` and `likeliest_next_lines` do.
    """
    trajectory = (
        node.trajectory
        if node.environment_state
        else context.policy.start_trajectory(environment.prompt_problem, think=False)
    )
    max_children = max(width, environment.choice_count // CHOICES_PER_CHILD)
    min_probability = MIN_UNIFORM_SHARE / environment.choice_count
    children: list[SearchNode] = []
    mass = 0.0
    async with aclosing(context.policy.likeliest_next_lines(trajectory, min_probability)) as lines:
        async for line in lines:
            child = await _expand(problem, context, node, trajectory, line)
            if child is not None:
                children.append(child)
            mass += line.probability
            if len(children) == max_children or mass >= MAX_PROBABILITY_MASS:
                break
    return children


async def _expand(
    problem: Problem,
    context: SearchContext,
    node: SearchNode,
    trajectory: Trajectory,
    line: LineContinuation,
) -> SearchNode | None:
    """The node's child by that step, emitted; None where it is refuted or a duplicate."""
    steps = (*(step.text for step in trajectory.steps), line.text or "")
    environment = await context.environment_state(problem, steps)
    if environment is None:
        return None
    child = _child(context, node, trajectory, line, environment)
    step = child.trajectory.steps[-1]
    if environment.answer and not child.pruned:
        child.trajectory = finish_trajectory(
            child.trajectory, environment.answer, 0, FinishReason.STOP
        )
        child.score = 1.0
    context.emit_node(child)
    if child.pruned:
        return None
    context.budget.count_inserted(step.forced)
    node.children.append(child)
    return child


def _child(
    context: SearchContext,
    node: SearchNode,
    trajectory: Trajectory,
    line: LineContinuation,
    environment: EnvironmentState,
) -> SearchNode:
    """The node after that step, pruned where the step is refuted or its state is in the tree."""
    extended = context.policy.append_line(trajectory, line, environment.state)
    number = next(context.trajectory_numbers)
    child = SearchNode(
        extended,
        number,
        node,
        refutation=environment.refutation,
        environment_state=environment.state,
    )
    context.emit_step(extended, number)
    if environment.refutation is not None:
        context.emit(
            VerdictEvent(path=number, step=child.step_index, verdict=environment.refutation)
        )
    else:
        child.duplicate_of = _node_with_state(node, environment.state)
    child.pruned = child.refutation is not None or child.duplicate_of is not None
    child.score = line.probability
    return child


def _node_with_state(node: SearchNode, state: str) -> SearchNode | None:
    """The node of the tree with this state, whose count of copies is increased."""
    root = [node, *node.ancestors()][-1]
    duplicate = next((other for other in root.subtree() if other.environment_state == state), None)
    if duplicate is not None:
        duplicate.sample_count += 1
    return duplicate
