"""One line of thought, round after round."""

from reasoner.attempt import Attempt, Findings
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import plant
from reasoner.strategies.parameters import NoParameters

__all__ = ["linear"]


async def linear(problem: Problem, tools: Tools, _: NoParameters) -> Findings:
    """One line of thought, streamed as it is written."""
    root = plant(problem, tools)
    path = root.path
    while not path.done:
        path = await tools.extend(path, root.number)
    return Findings(attempts=(Attempt(number=root.number, path=path),))
