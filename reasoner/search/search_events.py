"""The events that a search emits about its nodes, steps and candidates."""

from reasoner.answers.status import score_of_verdicts
from reasoner.search.operators.node import SearchNode
from reasoner.types.candidate import Candidate
from reasoner.types.events import CandidateEvent, NodeEvent, StepEvent
from reasoner.types.trajectory import FinishReason, Trajectory

__all__ = ["candidate_event", "node_event", "step_event"]


def step_event(trajectory: Trajectory, number: int) -> StepEvent:
    """The event for the last step of the trajectory with that number."""
    index = len(trajectory.steps) - 1
    return StepEvent(path=number, index=index, step=trajectory.steps[index])


def node_event(node: SearchNode) -> NodeEvent:
    """The event for the current state of a node."""
    parent = node.parent
    return NodeEvent(
        path=node.number,
        parent=parent.number if parent else None,
        depth=node.depth,
        forked=len(parent.trajectory.steps) if parent else 0,
        steps=len(node.trajectory.steps),
        done=node.trajectory.is_done,
        same=node.duplicate_of.number if node.duplicate_of else None,
        value=node.score,
        visits=node.visits,
        pruned=node.pruned,
    )


def candidate_event(candidate: Candidate) -> CandidateEvent:
    """The event for a finished candidate."""
    return CandidateEvent(
        path=candidate.number,
        final=candidate.final_answer,
        finish_reason=candidate.trajectory.finish_reason or FinishReason.INTERRUPTED,
        tokens=len(candidate.trajectory.tokens),
        standing=None if candidate.verdicts is None else score_of_verdicts(candidate.verdicts),
        value=candidate.value_score,
    )
