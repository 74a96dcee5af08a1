"""Best-of-N and weighted best-of-N (Li et al. 2023): N independent rollouts and a choice."""

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
    """The parameters of weighted best-of-N."""

    n: int = Field(8, ge=1, le=1024, description="lines of thought")
    at_once: int = Field(8, ge=1, le=256, description="lines drawn side by side")
    prune: bool = Field(True, description="draw steps again that are refuted")
    brief: bool = Field(False, description="keep the lines short, by worked examples")


class BestOfN(WeightedBestOfN):
    """The parameters of best-of-N."""

    agree: bool = Field(True, description="count how many lines share the answer, too")


async def best_of_n(problem: Problem, context: Tools, parameters: BestOfN) -> Findings:
    """Draw N lines of thought and take the one that its checks, its value and the others favour."""
    candidates = await draw(problem, context, parameters)
    groups = await aggregate(candidates, context.same)
    answer_shares = shares([len(group.attempts) for group in groups])
    agreement = {
        candidate.number: share
        for share, group in zip(answer_shares, groups, strict=True)
        for candidate in group.attempts
    }

    def score(candidate: Attempt) -> float:
        share = agreement.get(candidate.number, 0.0) if parameters.agree else None
        return merit(candidate, share)

    return by_score(candidates, score, agreement)


async def weighted_best_of_n(
    problem: Problem, context: Tools, parameters: WeightedBestOfN
) -> Findings:
    """Draw N lines of thought and take the answer whose lines are worth most together."""
    candidates = await draw(problem, context, parameters)
    return await by_answer(candidates, context.same, weigh=merit)


async def draw(problem: Problem, context: Tools, parameters: WeightedBestOfN) -> list[Attempt]:
    """N finished candidates; fewer when the budget is spent, one when all would be the same."""
    max_rollouts = parameters.n if context.policy.varied else 1
    started = 0

    def wants_more(running: int) -> bool:
        nonlocal started
        over = started > 0 and context.budget.reasoning_over()
        if started == max_rollouts or running >= parameters.at_once or over:
            return False
        started += 1
        return True

    prompt_problem = briefly(problem, context.policy) if parameters.brief else None
    rollouts = as_drawn(
        lambda: line(problem, context, prune=parameters.prune, asked=prompt_problem), wants_more
    )
    return [candidate async for candidate in rollouts]
