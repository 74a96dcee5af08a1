"""Nested search: each step of an outer strategy is chosen by an inner search.

With `linear` outside it is nested Monte-Carlo search (Cazenave 2009): at each state the inner
strategy searches for an answer, and the first step towards the best answer is taken.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

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
from reasoner.strategies.strategy import Strategy

__all__ = ["Nested", "nested_search"]


class Nested(Parameters):
    """The parameters of nested search."""

    outer: str = Field("linear", description="the strategy whose steps are searched for")
    inner: str = Field("best-of-n", description="the strategy that searches for them")
    n: int = Field(4, ge=1, le=64, description="lines that the inner strategy draws")


def nested_search(
    find_strategy: Callable[[str], Strategy[Any]],
) -> Callable[[Problem, Tools, Nested], Awaitable[Findings]]:
    """The nested strategy, which looks up its outer and inner strategies by `find_strategy`.

    The strategy raises UnknownName for a name without a strategy, and UsageError when it would be
    nested in itself.
    """

    async def nested(problem: Problem, context: Tools, parameters: Nested) -> Findings:
        """Let an inner strategy find each step of an outer one."""
        outer, inner = find_strategy(parameters.outer), find_strategy(parameters.inner)
        if nested in (outer.run, inner.run):
            raise UsageError("nested cannot be nested in itself; name two other strategies")
        return await _search(problem, context, outer, inner, parameters.n)

    return nested


async def _search(
    problem: Problem, context: Tools, outer: Strategy[Any], inner: Strategy[Any], n: int
) -> Findings:
    """The outer strategy's outcome; if incomplete, inner candidates compete with it."""
    options = {"n": n} if "n" in inner.parameters.model_fields else {}
    inner_candidates: list[Attempt] = []

    async def extend_by_search(trajectory: Path, _seed: int) -> Path:
        inner_context = replace(context, root=trajectory)
        outcome = await inner.run(problem, inner_context, inner.parse(options))
        best = outcome.attempts[0]
        inner_candidates.append(best)
        return head(best.path, len(trajectory.steps) + 1)

    outer_context = replace(context, grow=extend_by_search)
    outcome = await outer.run(problem, outer_context, outer.parse({}))
    if outcome.attempts[0].whole:
        return outcome
    candidates = [*outcome.attempts, *inner_candidates]
    return await by_answer(candidates, context.same, weigh=merit)
