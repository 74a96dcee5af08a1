"""Best-of-N: many lines of thought, and the one that is judged best."""

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import aggregate
from reasoner.operators.evaluate import merit
from reasoner.operators.together import as_drawn
from reasoner.operators.tools import Tools
from reasoner.operators.vote import shares
from reasoner.problem import Problem
from reasoner.strategies.line import line
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer, by_score
from reasoner.strategies.shots import briefly

__all__ = ["BestOfN", "WeightedBestOfN", "best_of_n", "draw", "weighted_best_of_n"]


class WeightedBestOfN(Parameters):
    n: int = Field(8, ge=1, le=1024, description="lines of thought")
    at_once: int = Field(8, ge=1, le=256, description="lines drawn side by side")
    prune: bool = Field(True, description="draw steps again that are refuted")
    brief: bool = Field(False, description="keep the lines short, by worked examples")


class BestOfN(WeightedBestOfN):
    agree: bool = Field(True, description="count how many lines share the answer, too")


async def best_of_n(problem: Problem, tools: Tools, parameters: BestOfN) -> Findings:
    """Draw N lines of thought and take the one that its checks, its value and the others favour."""
    attempts = await draw(problem, tools, parameters)
    groups = await aggregate(attempts, tools.same)
    parts = shares([len(group.attempts) for group in groups])
    agreement = {
        attempt.number: share
        for share, group in zip(parts, groups, strict=True)
        for attempt in group.attempts
    }

    def rate(attempt: Attempt) -> float:
        share = agreement.get(attempt.number, 0.0) if parameters.agree else None
        return merit(attempt, share)

    return by_score(attempts, rate, agreement)


async def weighted_best_of_n(
    problem: Problem, tools: Tools, parameters: WeightedBestOfN
) -> Findings:
    """Draw N lines of thought and take the answer whose lines are worth most together."""
    attempts = await draw(problem, tools, parameters)
    return await by_answer(attempts, tools.same, weigh=merit)


async def draw(problem: Problem, tools: Tools, parameters: WeightedBestOfN) -> list[Attempt]:
    """N finished lines of thought; fewer when the budget is spent, or all would be the same."""
    size = parameters.n if tools.policy.varied else 1
    started = 0

    def more(running: int) -> bool:
        nonlocal started
        spent = started > 0 and tools.budget.reasoning_over()
        if started == size or running >= parameters.at_once or spent:
            return False
        started += 1
        return True

    asked = briefly(problem, tools.policy) if parameters.brief else None
    draws = as_drawn(lambda: line(problem, tools, prune=parameters.prune, asked=asked), more)
    return [attempt async for attempt in draws]
