"""Best-of-N and weighted best-of-N (Li et al. 2023): N independent rollouts and a choice."""

from pydantic import Field

from reasoner.concurrency.gather import completed_on_demand
from reasoner.search.context import SearchContext
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.operators.vote import weight_shares
from reasoner.search.rollout import rollout
from reasoner.search.strategies.cross_check.few_shot import with_brief_examples
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer, rank_by_score
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = [
    "BestOfNParameters",
    "WeightedBestOfNParameters",
    "best_of_n",
    "sample_candidates",
    "weighted_best_of_n",
]


class WeightedBestOfNParameters(StrategyParameters):
    """The parameters of weighted best-of-N."""

    n: int = Field(8, ge=1, le=1024, description="candidates")
    at_once: int = Field(8, ge=1, le=256, description="candidates generated side by side")
    prune: bool = Field(True, description="draw steps again that are refuted")
    brief: bool = Field(False, description="keep the reasoning short, by worked examples")


class BestOfNParameters(WeightedBestOfNParameters):
    """The parameters of best-of-N."""

    agree: bool = Field(True, description="count how many candidates share the answer, too")


async def best_of_n(
    problem: Problem, context: SearchContext, parameters: BestOfNParameters
) -> SearchOutcome:
    """Generate N candidates and take the best by checks, value and agreement."""
    candidates = await sample_candidates(problem, context, parameters)
    groups = await group_by_answer(candidates, context.same_answer)
    answer_shares = weight_shares([len(group.candidates) for group in groups])
    agreement = {
        candidate.number: share
        for share, group in zip(answer_shares, groups, strict=True)
        for candidate in group.candidates
    }

    def score(candidate: Candidate) -> float:
        share = agreement.get(candidate.number, 0.0) if parameters.agree else None
        return candidate_score(candidate, share)

    return rank_by_score(candidates, score, agreement)


async def weighted_best_of_n(
    problem: Problem, context: SearchContext, parameters: WeightedBestOfNParameters
) -> SearchOutcome:
    """Generate N candidates and take the answer whose candidates have the highest sum of scores."""
    candidates = await sample_candidates(problem, context, parameters)
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)


async def sample_candidates(
    problem: Problem, context: SearchContext, parameters: WeightedBestOfNParameters
) -> list[Candidate]:
    """N finished candidates; fewer when the budget is spent, one when all would be the same."""
    max_rollouts = parameters.n if context.policy.is_stochastic else 1
    started = 0

    def wants_more(running: int) -> bool:
        nonlocal started
        over = started > 0 and context.budget.is_reasoning_over()
        if started == max_rollouts or running >= parameters.at_once or over:
            return False
        started += 1
        return True

    prompt_problem = with_brief_examples(problem, context.policy) if parameters.brief else None
    rollouts = completed_on_demand(
        lambda: rollout(
            problem, context, drop_refuted=parameters.prune, prompt_problem=prompt_problem
        ),
        wants_more,
    )
    return [candidate async for candidate in rollouts]
