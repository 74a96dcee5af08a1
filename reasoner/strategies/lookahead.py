"""Lookahead search: beam search that scores a step by a short rollout (Snell et al. 2024)."""

from pydantic import Field

from reasoner.attempt import SearchOutcome
from reasoner.operators.tools import SearchContext
from reasoner.problem import Problem
from reasoner.strategies.beam import BeamParameters, search_beams

__all__ = ["LookaheadParameters", "lookahead"]


class LookaheadParameters(BeamParameters):
    """The parameters of lookahead search."""

    k: int = Field(1, ge=1, le=16, description="steps to look ahead, at temperature 0")


async def lookahead(
    problem: Problem, context: SearchContext, parameters: LookaheadParameters
) -> SearchOutcome:
    """Beam search in which each step is scored k greedy steps later."""
    return await search_beams(problem, context, parameters, lookahead_steps=parameters.k)
