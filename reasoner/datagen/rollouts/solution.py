"""One solution of a problem, with what is known about each of its steps."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

__all__ = ["Solution", "Source"]

Source = Literal["sampled", "human", "corrupted", "judged"]


class Solution(BaseModel):
    """One line of the data that a value model is trained on.

    `steps` are the texts of the steps, `ends` the number of the solution's tokens up to each step's
    end. `counts` gives for each step how many sampled continuations from its end were right, and
    how many there were: a Monte-Carlo estimate of its value (Math-Shepherd, Wang et al. 2023). A
    `corrupted` solution equals the one with the number `origin` up to its last step, which has the
    error that `flaw` names. A `judged` solution ends with its first wrong step unless it is
    `right`. `features` are the numbers of its rows in the file of features.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: str
    number: NonNegativeInt
    """The number of the solution among those of its problem, from 0."""
    source: Source
    question: str
    answer: str
    """The known answer; empty for a judged solution."""
    system: str | None = None
    """The system prompt that the policy had; None: the protocol's own."""
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
    """The number of solutions of its problem, which are written together."""
    spent: NonNegativeInt = 0
    """Tokens decoded between the writing of the previous problem and that of this one; the same in
    all solutions of a problem."""

    @model_validator(mode="after")
    def _require_equal_lengths(self) -> Self:
        steps, sampled = len(self.steps), self.source == "sampled"
        if len(self.ends) != steps or len(self.features) > steps:
            raise ValueError("`steps`, `ends` and `features` do not fit each other")
        if sampled and not len(self.counts) == len(self.features) == steps:
            raise ValueError("a sampled solution needs `counts` and `features` for every step")
        return self
