"""Lookahead search: beam search that judges a step by where it leads (Snell et al. 2024)."""

from pydantic import Field

from reasoner.attempt import Findings
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.beam import Beam, grow_beams

__all__ = ["Lookahead", "lookahead"]


class Lookahead(Beam):
    k: int = Field(1, ge=1, le=16, description="steps to look ahead, at temperature 0")


async def lookahead(problem: Problem, tools: Tools, parameters: Lookahead) -> Findings:
    """Beam search in which each step is scored k greedy steps later."""
    return await grow_beams(problem, tools, parameters, ahead=parameters.k)
