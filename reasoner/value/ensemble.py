"""Ensembles of value models: every member scores every step, and the scores are pooled."""

import asyncio
from collections.abc import Sequence
from math import exp, log
from statistics import fmean

from reasoner.engine.interface import Engine
from reasoner.models.format import Aggregation
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.model import ValueModel
from reasoner.value.scorer import StepScorer

__all__ = ["EnsembleScorer", "ValueEnsemble", "pool_scores"]

MIN_DISTANCE = 1e-3
"""The distance that scores keep from 0 and 1, so that no single one decides alone."""


class ValueEnsemble:
    """At least one value model. The first one's aggregation is the ensemble's, and its engine is
    the one for which trajectories are tokenised."""

    def __init__(self, members: Sequence[ValueModel]) -> None:
        self._members = tuple(members)
        self.name = " + ".join(f"{member.name}@{member.value_format.name}" for member in members)
        self.aggregation: Aggregation = members[0].aggregation

    @property
    def engine(self) -> Engine:
        """The first member's engine."""
        return self._members[0].engine

    def new_scorer(self) -> "EnsembleScorer":
        """A scorer for one question."""
        return EnsembleScorer(self.name, [member.new_scorer() for member in self._members])


class EnsembleScorer:
    """Pools the scores of several scorers; see `StepScorer`."""

    def __init__(self, name: str, members: Sequence[StepScorer]) -> None:
        self.name, self.aggregation = name, members[0].aggregation
        self._members = members

    @property
    def decoded_tokens(self) -> int:
        """Tokens decoded by all members so far."""
        return sum(member.decoded_tokens for member in self._members)

    async def score_steps(self, problem: Problem, trajectory: Trajectory) -> tuple[float, ...]:
        """The pooled score of each step, in [0, 1]. Raises what the members' `score` does."""
        rows = await asyncio.gather(
            *(member.score_steps(problem, trajectory) for member in self._members)
        )
        return tuple(map(pool_scores, zip(*rows, strict=True)))


def pool_scores(scores: Sequence[float]) -> float:
    """One score in [0, 1] from at least one score in [0, 1].

    The log-odds are averaged (logarithmic opinion pool, Genest and Zidek 1986), so that independent
    evidence adds up and an undecided score of 0.5 pulls towards 0.5.
    """
    return 1 / (1 + exp(-fmean(map(_log_odds, scores))))


def _log_odds(score: float) -> float:
    clipped = min(max(score, MIN_DISTANCE), 1 - MIN_DISTANCE)
    return log(clipped / (1 - clipped))
