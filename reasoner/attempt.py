"""What a search found: finished lines of thought, and what is known about each."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from reasoner.path import FinishReason, Path
from reasoner.verdict import Verdict

__all__ = ["Attempt", "Findings"]

ENDINGS = (
    (FinishReason.INTERRUPTED,),
    (FinishReason.LENGTH,),
    (FinishReason.STOP, FinishReason.BUDGET),
)


class Attempt(BaseModel):
    """A path that came to its end.

    `number` is the line of thought it is known under in the events, `final` its short final
    answer. `verdicts` is None until it was checked. `value`, in [0, 1], is what the value model
    gives for it. `score`, in [0, 1], is what the strategy ranked it by.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    path: Path
    final: str | None = None
    verdicts: tuple[Verdict, ...] | None = None
    value: float | None = None
    score: float | None = Field(default=None, ge=0.0, le=1.0)
    found: tuple[Verdict, ...] = ()
    proven: bool = False
    """Whether the known answer or the given tests, which the model did not see, confirm it, or a
    check settled the question without them."""

    @property
    def whole(self) -> bool:
        """Whether it ended of its own accord, or was led to an end: neither cut off nor stopped."""
        return self.ending == len(ENDINGS)

    @property
    def ending(self) -> int:
        """How far it came, the higher the further: without an answer, stopped, cut off, whole."""
        if not self.path.answer:
            return 0
        reason = self.path.finish_reason
        return next((n for n, reasons in enumerate(ENDINGS, 1) if reason in reasons), 0)


class Findings(BaseModel):
    """A strategy's result: at least one attempt, the best first.

    `confidence`, in [0, 1], is what the strategy gives for the first one being right: for a vote
    the share of the weight that its answer got. It is not calibrated yet.
    """

    model_config = ConfigDict(frozen=True)

    attempts: tuple[Attempt, ...] = Field(min_length=1)
    confidence: float | None = Field(default=None, ge=0.0, le=1.0)

    def proven_first(self) -> Self:
        """The same, but what a check has settled stands before what a search prefers: a proof
        ends the search, and may leave all others half done."""
        proven = [one for one in self.attempts if one.proven]
        if not proven or proven[0] is self.attempts[0]:
            return self
        others = [one for one in self.attempts if one is not proven[0]]
        return self.model_copy(update={"attempts": (proven[0], *others), "confidence": None})
