"""Nested search: the steps of one strategy are found by another.

With `linear` outside this is nested Monte-Carlo search (Cazenave 2009): from each state the inner
strategy searches to an answer, and the first step towards the best answer it found is taken.
"""

from dataclasses import replace

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.errors import UsageError
from reasoner.operators.evaluate import merit
from reasoner.operators.restructure import head
from reasoner.operators.tools import Tools
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer

__all__ = ["Nested", "nested"]


class Nested(Parameters):
    outer: str = Field("linear", description="the strategy whose steps are searched for")
    inner: str = Field("best-of-n", description="the strategy that searches for them")
    n: int = Field(4, ge=1, le=64, description="lines that the inner strategy draws")


async def nested(problem: Problem, tools: Tools, parameters: Nested) -> Findings:
    """Let an inner strategy find each step of an outer one."""
    from reasoner.strategies.registry import find_strategy

    outer, inner = find_strategy(parameters.outer), find_strategy(parameters.inner)
    if nested in (outer.run, inner.run):
        raise UsageError("nested cannot be nested in itself; name two other strategies")
    options = {"n": parameters.n} if "n" in inner.parameters.model_fields else {}
    searched: list[Attempt] = []

    async def grow(path: Path, _seed: int) -> Path:
        found = await inner.run(problem, replace(tools, root=path), inner.parse(options))
        searched.append(found.attempts[0])
        return head(found.attempts[0].path, len(path.steps) + 1)

    found = await outer.run(problem, replace(tools, grow=grow), outer.parse({}))
    if found.attempts[0].whole:
        return found
    return await by_answer([*found.attempts, *searched], tools.same, weigh=merit)
