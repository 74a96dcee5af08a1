"""Candidates (finished trajectories with their verdicts and scores) and the outcome of a search."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from reasoner.types.trajectory import FinishReason, Trajectory
from reasoner.types.verdict import Verdict

__all__ = ["Candidate", "SearchOutcome"]

FINISH_RANKS = (
    (FinishReason.INTERRUPTED,),
    (FinishReason.LENGTH,),
    (FinishReason.STOP, FinishReason.BUDGET),
)


class Candidate(BaseModel):
    """A finished trajectory with its final answer, verdicts and scores.

    `number` identifies its trajectory in the events. `final_answer` is the short final answer
    extracted from the reply. `verdicts` holds the verifiers' verdicts, None before they were
    called. `value_score`, in [0, 1], is the value model's score. `score`, in [0, 1], is the score
    by which the strategy ranked it. `search_verdicts` holds verdicts that the strategy itself
    reached, such as cross-checking. `proven` states that the known answer or the given tests, which
    the model did not see, confirm the candidate, or that a verdict settles the question without
    them.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    trajectory: Trajectory
    final_answer: str | None = None
    verdicts: tuple[Verdict, ...] | None = None
    value_score: float | None = None
    score: float | None = Field(default=None, ge=0.0, le=1.0)
    search_verdicts: tuple[Verdict, ...] = ()
    is_proven: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the reply is complete: neither cut off by length nor interrupted."""
        return self.completion_rank == len(FINISH_RANKS)

    @property
    def completion_rank(self) -> int:
        """The rank of how it ended: 0 no answer, 1 interrupted, 2 cut off by length, 3 complete."""
        if not self.trajectory.answer:
            return 0
        reason = self.trajectory.finish_reason
        return next((rank for rank, reasons in enumerate(FINISH_RANKS, 1) if reason in reasons), 0)


class SearchOutcome(BaseModel):
    """A strategy's result: at least one candidate, the best first.

    `confidence`, in [0, 1], is the strategy's estimate that the first candidate is right: in a vote
    the share of the total weight that its answer received. It is not calibrated.
    """

    model_config = ConfigDict(frozen=True)

    candidates: tuple[Candidate, ...] = Field(min_length=1)
    confidence: float | None = Field(default=None, ge=0.0, le=1.0)

    def with_proven_first(self) -> Self:
        """The outcome with the first proven candidate moved to the front.

        A proof ends the search early, so the other candidates may be incomplete and the strategy's
        own ranking says little; its confidence is dropped when the order changes.
        """
        proven = next((candidate for candidate in self.candidates if candidate.is_proven), None)
        if proven is None or proven is self.candidates[0]:
            return self
        others = [candidate for candidate in self.candidates if candidate is not proven]
        return self.model_copy(update={"candidates": (proven, *others), "confidence": None})
