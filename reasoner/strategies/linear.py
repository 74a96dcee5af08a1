"""A single rollout without search (chain of thought, Wei et al. 2022)."""

from reasoner.attempt import Candidate, SearchOutcome
from reasoner.operators.tools import SearchContext
from reasoner.problem import Problem
from reasoner.strategies.line import create_root
from reasoner.strategies.parameters import NoParameters

__all__ = ["linear"]


async def linear(problem: Problem, context: SearchContext, _: NoParameters) -> SearchOutcome:
    """One line of thought, streamed as it is written."""
    root = create_root(problem, context)
    trajectory = root.trajectory
    while not trajectory.is_done:
        trajectory = await context.extend_trajectory(trajectory, root.number)
    return SearchOutcome(candidates=(Candidate(number=root.number, trajectory=trajectory),))
