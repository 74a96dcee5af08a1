"""A single rollout without search (chain of thought, Wei et al. 2022)."""

from reasoner.attempt import Attempt, Findings
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import plant
from reasoner.strategies.parameters import NoParameters

__all__ = ["linear"]


async def linear(problem: Problem, context: Tools, _: NoParameters) -> Findings:
    """One line of thought, streamed as it is written."""
    root = plant(problem, context)
    trajectory = root.path
    while not trajectory.done:
        trajectory = await context.extend(trajectory, root.number)
    return Findings(attempts=(Attempt(number=root.number, path=trajectory),))
