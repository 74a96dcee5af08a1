"""One line of thought, round after round."""

from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.strategies.strategy import Tools

__all__ = ["linear"]


async def linear(problem: Problem, tools: Tools) -> list[Path]:
    """Extend a single path until it is done."""
    path = tools.policy.start(problem)
    while not path.done:
        path = await tools.extend(path)
    return [path]
