"""Small steps: what the model finds likeliest where a plugin frames the problem."""

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

PART = 3
"""One in so many of the steps there are to take is taken, or `width` where that is more."""
LEAST = 0.15
"""Steps are looked at whose probability is at least this part of an even one."""
MASS = 0.95
"""The rest of the probability is not worth what it costs to look at."""


async def small_steps(
    problem: Problem, tools: Tools, node: Node, frame: Frame, width: int
) -> list[Node]:
    """The node's new children: the next steps that the model finds likeliest, each scored by its
    probability, or 1 where it arrives at an answer.

    Steps that the frame refutes are left out, and so are those that come to a state which is in
    the tree already. Nothing is drawn, so no step comes twice.
    """
    path = node.path if node.state else tools.policy.start(frame.asked, think=False)
    most = max(width, frame.choices // PART)
    found: list[Node] = []
    mass = 0.0
    async with aclosing(tools.policy.lines(path, LEAST / frame.choices)) as lines:
        async for line in lines:
            child = await _child(problem, tools, node, path, line)
            if child is not None:
                found.append(child)
            mass += line.probability
            if len(found) == most or mass >= MASS:
                break
    return found


async def _child(problem: Problem, tools: Tools, node: Node, path: Path, line: Line) -> Node | None:
    """The node's child by that step; None where the step is refuted or leads nowhere new."""
    steps = (*(step.text for step in path.steps), line.text or "")
    frame = await tools.frame(problem, steps)
    if frame is None:
        return None
    longer = tools.policy.written(path, line, frame.state)
    child = Node(longer, next(tools.numbers), node, refuted=frame.refuted, state=frame.state)
    tools.tell_step(longer, child.number)
    if frame.refuted is not None:
        tools.emit(VerdictEvent(path=child.number, step=child.step, verdict=frame.refuted))
    else:
        child.same = _known(node, frame.state)
    child.pruned = child.refuted is not None or child.same is not None
    child.score = line.probability
    if frame.answer and not child.pruned:
        child.path = finished(longer, frame.answer, 0, FinishReason.STOP)
        child.score = 1.0
    tools.tell(child)
    if child.pruned:
        return None
    tools.budget.place(longer.steps[-1].forced)
    node.children.append(child)
    return child


def _known(node: Node, state: str) -> Node | None:
    """The node of the tree that has come to this state, which counts one copy more."""
    root = [node, *node.ancestors()][-1]
    known = next((one for one in root.subtree() if one.state == state), None)
    if known is not None:
        known.copies += 1
    return known
