"""A single rollout without search (chain of thought, Wei et al. 2022)."""

from reasoner.search.context import SearchContext
from reasoner.search.rollout import create_root
from reasoner.search.strategies.parameters import NoParameters
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["linear"]


async def linear(problem: Problem, context: SearchContext, _: NoParameters) -> SearchOutcome:
    """A single chain of thought, streamed as it is written."""
    root = create_root(problem, context)
    trajectory = root.trajectory
    while not trajectory.is_done:
        trajectory = await context.extend_trajectory(trajectory, root.number)
    return SearchOutcome(candidates=(Candidate(number=root.number, trajectory=trajectory),))
