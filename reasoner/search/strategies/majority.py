"""Self-consistency: the answer with the most votes among sampled candidates (Wang et al. 2022).

Voting is adaptive: a few rollouts run at a time, and none is started or finished once the vote is
decided (after Aggarwal et al. 2023, who do not take the number of remaining votes into account).
"""

from collections.abc import Callable
from contextlib import aclosing

from pydantic import Field

from reasoner.concurrency.gather import completed_on_demand
from reasoner.search.context import SearchContext
from reasoner.search.operators.aggregate import AnswerGroup, group_by_answer
from reasoner.search.operators.evaluate import vote_weight
from reasoner.search.operators.vote import is_vote_decided
from reasoner.search.rollout import rollout
from reasoner.search.strategies.cross_check.few_shot import with_brief_examples
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["AdaptiveVote", "MajorityParameters", "majority"]


class MajorityParameters(StrategyParameters):
    """The parameters of self-consistency."""

    n: int = Field(16, ge=1, le=1024, description="most candidates")
    at_once: int = Field(4, ge=1, le=256, description="candidates generated side by side")
    adaptive: bool = Field(True, description="stop once the vote is decided")
    threshold: float = Field(
        0.8, gt=0.5, le=1.0, description="probability that the lead lasts at which it is"
    )
    weigh: bool = Field(
        True, description="a candidate counts its value, less if it fails its check"
    )
    prune: bool = Field(True, description="draw steps again that are refuted")
    brief: bool = Field(False, description="keep the reasoning short, by worked examples")


async def majority(
    problem: Problem, context: SearchContext, parameters: MajorityParameters
) -> SearchOutcome:
    """Generate several candidates and take the answer that most of them give."""
    candidates: list[Candidate] = []
    poll = AdaptiveVote(parameters, context.policy.is_stochastic, context.budget.is_reasoning_over)
    prompt_problem = with_brief_examples(problem, context.policy) if parameters.brief else None
    rollouts = completed_on_demand(
        lambda: rollout(
            problem, context, drop_refuted=parameters.prune, prompt_problem=prompt_problem
        ),
        poll.wants_more,
    )
    async with aclosing(rollouts):
        async for candidate in rollouts:
            candidates.append(candidate)
            poll.set_votes(await group_by_answer(candidates, context.same_answer), len(candidates))
            if poll.is_decided:
                break
    return await rank_by_answer(candidates, context.same_answer, vote_weight=poll.vote_weight)


class AdaptiveVote:
    """An adaptive vote: counts the votes and decides whether another rollout is worth its cost.

    `varied` states whether two rollouts can differ; `over()` states that the budget for reasoning
    is spent.
    """

    def __init__(
        self, parameters: MajorityParameters, varied: bool, over: Callable[[], bool]
    ) -> None:
        self._parameters, self._over = parameters, over
        self._max_votes = parameters.n if varied else 1
        self._started = self._counted = 0
        self._weights = [0.0]

    def vote_weight(self, candidate: Candidate) -> float:
        """The weight of a candidate's vote, in [0, 1]."""
        value = 1.0 if candidate.value_score is None else candidate.value_score
        return vote_weight(candidate) * value if self._parameters.weigh else 1.0

    def wants_more(self, running: int) -> bool:
        """Whether to start another rollout; not while the running ones may decide the vote."""
        if self._started and self._over():
            return False
        if self._started == self._max_votes or running >= self._parameters.at_once:
            return False
        lead, *others = sorted(self._weights, reverse=True)
        if self._decided([lead + running, *others], self._max_votes - self._started):
            return False
        self._started += 1
        return True

    def set_votes(self, groups: tuple[AnswerGroup, ...], counted: int) -> None:
        """Set the current vote: candidates grouped by answer, out of `counted` in all."""
        self._weights = [sum(map(self.vote_weight, group.candidates)) for group in groups] or [0.0]
        self._counted = counted

    @property
    def is_decided(self) -> bool:
        """Whether the vote is decided, whatever the rollouts that still run would add."""
        return self._decided(self._weights, self._max_votes - self._counted)

    def _decided(self, weights: list[float], remaining_votes: int) -> bool:
        threshold = self._parameters.threshold
        return self._parameters.adaptive and is_vote_decided(weights, remaining_votes, threshold)
