"""One solution of a problem, with what is known about each of its steps."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

__all__ = ["Solution", "Source"]

Source = Literal["sampled", "human", "corrupted", "judged"]


class Solution(BaseModel):
    """A line of the data that a value model is trained on.

    `steps` are the texts as they were read, `ends` where each ends among the solution's tokens.
    `counts` gives for each step how many solutions that go on from its end were right, and of how
    many: a Monte-Carlo estimate of its value (Math-Shepherd, Wang et al. 2023). A `corrupted`
    solution is the one with the number `origin` up to its last step, which was made wrong in the
    way `flaw` names; a `judged` one was written by somebody and ends with its first wrong step, if
    it is not `right`. `features` are the rows in which its steps' features stand.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: str
    number: NonNegativeInt
    """Counts the solutions of a problem."""
    source: Source
    question: str
    answer: str
    """The known one; empty when its steps were judged."""
    system: str | None = None
    """The system prompt it was read under; None: none of ours."""
    origin: NonNegativeInt | None = None
    flaw: str | None = None
    steps: tuple[str, ...]
    ends: tuple[NonNegativeInt, ...]
    final: str | None = None
    right: bool | None = None
    finish: str | None = None
    counts: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] = ()
    features: tuple[NonNegativeInt, ...] = ()
    of: NonNegativeInt = 0
    """How many solutions of its problem were written down together with it."""
    spent: NonNegativeInt = 0
    """Tokens decoded since the problem written down before, so that they add up to the run's."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        steps, sampled = len(self.steps), self.source == "sampled"
        if len(self.ends) != steps or len(self.features) > steps:
            raise ValueError("`steps`, `ends` and `features` do not fit each other")
        if sampled and not len(self.counts) == len(self.features) == steps:
            raise ValueError("a sampled solution needs `counts` and `features` for every step")
        return self
