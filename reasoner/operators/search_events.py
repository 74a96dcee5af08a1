"""The events that a search emits about its nodes, steps and candidates."""

from reasoner.attempt import Attempt
from reasoner.events import CandidateEvent, NodeEvent, StepEvent
from reasoner.operators.node import Node
from reasoner.path import FinishReason, Path
from reasoner.verify.status import standing

__all__ = ["candidate_event", "node_event", "step_event"]


def step_event(trajectory: Path, number: int) -> StepEvent:
    """The event for the last step of the trajectory with that number."""
    index = len(trajectory.steps) - 1
    return StepEvent(path=number, index=index, step=trajectory.steps[index])


def node_event(node: Node) -> NodeEvent:
    """The event for the current state of a node."""
    parent = node.parent
    return NodeEvent(
        path=node.number,
        parent=parent.number if parent else None,
        depth=node.depth,
        forked=len(parent.path.steps) if parent else 0,
        steps=len(node.path.steps),
        done=node.path.done,
        same=node.same.number if node.same else None,
        value=node.score,
        visits=node.visits,
        pruned=node.pruned,
    )


def candidate_event(candidate: Attempt) -> CandidateEvent:
    """The event for a finished candidate."""
    return CandidateEvent(
        path=candidate.number,
        final=candidate.final,
        finish_reason=candidate.path.finish_reason or FinishReason.INTERRUPTED,
        tokens=len(candidate.path.tokens),
        standing=None if candidate.verdicts is None else standing(candidate.verdicts),
        value=candidate.value,
    )
