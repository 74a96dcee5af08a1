"""The scorer protocol: what a search needs of a value model of any kind."""

from typing import Protocol

from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.aggregate import Aggregation

__all__ = ["StepScorer"]


class StepScorer(Protocol):
    """Scores the steps of trajectories. One scorer serves one question and all its trajectories.

    Scores are kept, so that a trajectory extended by a step costs that step's tokens only, and a
    fork costs nothing for the steps that it shares.
    """

    name: str
    """The value model's name in the result."""
    aggregation: Aggregation
    """How step scores become a trajectory's score: `aggregate_step_scores(scores,
    scorer.aggregation)`."""

    @property
    def decoded_tokens(self) -> int:
        """Tokens decoded for scoring so far; they count against the question's budget."""

    async def score_steps(self, problem: Problem, trajectory: Trajectory) -> tuple[float, ...]:
        """A score in [0, 1] for each step of the trajectory; once it is done, its answer counts as
        one more step.

        Raises PromptTooLong when question and steps do not fit the value model's context,
        ContextFull or EngineError.
        """
