"""Lookahead search: beam search that scores a step by a short rollout (Snell et al. 2024)."""

from pydantic import Field

from reasoner.search.context import SearchContext
from reasoner.search.strategies.beam import BeamParameters, search_beams
from reasoner.types.candidate import SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["LookaheadParameters", "lookahead"]


class LookaheadParameters(BeamParameters):
    """The parameters of lookahead search."""

    k: int = Field(1, ge=1, le=16, description="steps to look ahead, at temperature 0")


async def lookahead(
    problem: Problem, context: SearchContext, parameters: LookaheadParameters
) -> SearchOutcome:
    """Beam search in which each step is scored k greedy steps later."""
    return await search_beams(problem, context, parameters, lookahead_steps=parameters.k)
