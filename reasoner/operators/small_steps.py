"""Expansion of a node by the likeliest next steps in an environment, instead of sampled ones."""

from contextlib import aclosing

from reasoner.events import VerdictEvent
from reasoner.frame import Frame
from reasoner.lines import Line
from reasoner.operators.node import Node
from reasoner.operators.tools import Tools
from reasoner.path import FinishReason, Path
from reasoner.problem import Problem
from reasoner.protocol.protocol import finished

__all__ = ["small_steps"]

CHOICES_PER_CHILD = 3
"""One child is created for so many possible steps, or `width` children where that is more."""
MIN_UNIFORM_SHARE = 0.15
"""Steps are considered whose probability is at least this share of the uniform probability."""
MAX_PROBABILITY_MASS = 0.95
"""Expansion ends once the steps considered have this probability together."""


async def small_steps(
    problem: Problem, context: Tools, node: Node, frame: Frame, width: int
) -> list[Node]:
    """The node's new children: the likeliest next steps, each scored by its probability, or 1 where
    it reaches a solution.

    Steps that the environment refutes are left out, and so are those that lead to a state which is
    in the tree already. Nothing is sampled, so no step occurs twice. Raises what the policy's
    `start` and `lines` do.
    """
    trajectory = node.path if node.state else context.policy.start(frame.asked, think=False)
    max_children = max(width, frame.choices // CHOICES_PER_CHILD)
    min_probability = MIN_UNIFORM_SHARE / frame.choices
    children: list[Node] = []
    mass = 0.0
    async with aclosing(context.policy.lines(trajectory, min_probability)) as lines:
        async for line in lines:
            child = await _expand(problem, context, node, trajectory, line)
            if child is not None:
                children.append(child)
            mass += line.probability
            if len(children) == max_children or mass >= MAX_PROBABILITY_MASS:
                break
    return children


async def _expand(
    problem: Problem, context: Tools, node: Node, trajectory: Path, line: Line
) -> Node | None:
    """The node's child by that step, emitted; None where it is refuted or a duplicate."""
    steps = (*(step.text for step in trajectory.steps), line.text or "")
    frame = await context.frame(problem, steps)
    if frame is None:
        return None
    child = _child(context, node, trajectory, line, frame)
    step = child.path.steps[-1]
    if frame.answer and not child.pruned:
        child.path = finished(child.path, frame.answer, 0, FinishReason.STOP)
        child.score = 1.0
    context.tell(child)
    if child.pruned:
        return None
    context.budget.place(step.forced)
    node.children.append(child)
    return child


def _child(context: Tools, node: Node, trajectory: Path, line: Line, frame: Frame) -> Node:
    """The node after that step, pruned where the step is refuted or its state is in the tree."""
    extended = context.policy.written(trajectory, line, frame.state)
    number = next(context.numbers)
    child = Node(extended, number, node, refuted=frame.refuted, state=frame.state)
    context.tell_step(extended, number)
    if frame.refuted is not None:
        context.emit(VerdictEvent(path=number, step=child.step, verdict=frame.refuted))
    else:
        child.same = _node_with_state(node, frame.state)
    child.pruned = child.refuted is not None or child.same is not None
    child.score = line.probability
    return child


def _node_with_state(node: Node, state: str) -> Node | None:
    """The node of the tree with this state, whose count of copies is increased."""
    root = [node, *node.ancestors()][-1]
    duplicate = next((other for other in root.subtree() if other.state == state), None)
    if duplicate is not None:
        duplicate.copies += 1
    return duplicate
