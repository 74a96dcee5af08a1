"""Nested search: each step of an outer strategy is chosen by an inner search.

With `linear` outside it is nested Monte-Carlo search (Cazenave 2009): at each state the inner
strategy searches for an answer, and the first step towards the best answer is taken.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from pydantic import Field

from reasoner.errors import UsageError
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.operators.restructure import first_steps
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.search.strategies.strategy import Strategy
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory

__all__ = ["NestedParameters", "nested_search"]


class NestedParameters(StrategyParameters):
    """The parameters of nested search."""

    outer: str = Field("linear", description="the strategy whose steps are searched for")
    inner: str = Field("best-of-n", description="the strategy that searches for them")
    n: int = Field(4, ge=1, le=64, description="candidates that the inner strategy generates")


def nested_search(
    find_strategy: Callable[[str], Strategy[Any]],
) -> Callable[[Problem, SearchContext, NestedParameters], Awaitable[SearchOutcome]]:
    """The nested strategy, which looks up its outer and inner strategies by `find_strategy`.

    The strategy raises UnknownName for a name without a strategy, and UsageError when it would be
    nested in itself.
    """

    async def nested(
        problem: Problem, context: SearchContext, parameters: NestedParameters
    ) -> SearchOutcome:
        """Let an inner strategy find each step of an outer one."""
        outer, inner = find_strategy(parameters.outer), find_strategy(parameters.inner)
        if nested in (outer.search, inner.search):
            raise UsageError("nested cannot be nested in itself; name two other strategies")
        return await _search(problem, context, outer, inner, parameters.n)

    return nested


async def _search(
    problem: Problem, context: SearchContext, outer: Strategy[Any], inner: Strategy[Any], n: int
) -> SearchOutcome:
    """The outer strategy's outcome; if incomplete, inner candidates compete with it."""
    options = {"n": n} if "n" in inner.parameters.model_fields else {}
    inner_candidates: list[Candidate] = []

    async def extend_by_search(trajectory: Trajectory, _seed: int) -> Trajectory:
        inner_context = replace(context, root_trajectory=trajectory)
        outcome = await inner.search(problem, inner_context, inner.parse_options(options))
        best = outcome.candidates[0]
        inner_candidates.append(best)
        return first_steps(best.trajectory, len(trajectory.steps) + 1)

    outer_context = replace(context, extend_override=extend_by_search)
    outcome = await outer.search(problem, outer_context, outer.parse_options({}))
    if outcome.candidates[0].is_complete:
        return outcome
    candidates = [*outcome.candidates, *inner_candidates]
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)
