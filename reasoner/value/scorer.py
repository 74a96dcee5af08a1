"""What the search needs of a value model, whatever it reads its scores from."""

from typing import Protocol

from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.value.aggregate import Aggregation

__all__ = ["Scorer"]


class Scorer(Protocol):
    """How good the steps of a path are. One scorer serves one question and all of its paths.

    It remembers what it has scored, so a path that grew by a step costs that step's tokens, and
    a fork costs nothing for what it shares.
    """

    name: str
    """The value model's name, as the result states it."""
    aggregation: Aggregation
    """How this kind's step scores make a path's score: `aggregate(scores, scorer.aggregation)`."""

    @property
    def tokens(self) -> int:
        """Tokens decoded for scoring so far, for the question's account."""

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        """A score in [0, 1] for each step of `path`; when the path is done and has an answer,
        the answer counts as one more step.

        Raises PromptTooLong when question and steps do not fit the value model's context,
        ContextFull or EngineError.
        """
