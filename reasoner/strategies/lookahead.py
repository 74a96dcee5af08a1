"""Lookahead search: beam search that scores a step by a short rollout (Snell et al. 2024)."""

from pydantic import Field

from reasoner.attempt import Findings
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.beam import Beam, grow_beams

__all__ = ["Lookahead", "lookahead"]


class Lookahead(Beam):
    """The parameters of lookahead search."""

    k: int = Field(1, ge=1, le=16, description="steps to look ahead, at temperature 0")


async def lookahead(problem: Problem, context: Tools, parameters: Lookahead) -> Findings:
    """Beam search in which each step is scored k greedy steps later."""
    return await grow_beams(problem, context, parameters, ahead=parameters.k)
