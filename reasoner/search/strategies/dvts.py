"""Diverse verifier tree search: beam search in independent subtrees (Beeching et al. 2024)."""

from pydantic import Field

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import candidate_score, score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import prune_nodes
from reasoner.search.rollout import create_root, rollout_from_nodes
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["DvtsParameters", "dvts"]


class DvtsParameters(StrategyParameters):
    """The parameters of DVTS: N = `n` steps in each round, M = `width` of them in each tree."""

    n: int = Field(8, ge=1, le=256, description="steps drawn in each round, over all trees")
    width: int = Field(4, ge=1, le=64, description="steps drawn in each of the N/M trees")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the trees just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def dvts(
    problem: Problem, context: SearchContext, parameters: DvtsParameters
) -> SearchOutcome:
    """Grow N/M trees apart from each other, each by the best of M next steps."""
    tree_indices = range(max(1, parameters.n // parameters.width))
    trees = await gather_all(_search_tree(problem, context, parameters) for _ in tree_indices)
    candidates = [candidate for tree in trees for candidate in tree]
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)


async def _search_tree(
    problem: Problem, context: SearchContext, parameters: DvtsParameters
) -> list[Candidate]:
    """One tree's candidates: the best last node and all nodes that finished before it."""
    node = create_root(problem, context)
    finished: list[SearchNode] = []
    for _ in range(parameters.rounds):
        children = await sample_children(
            context, node, parameters.width, drop_refuted=parameters.prune
        )
        await score_nodes(problem, context, children)
        finished += [child for child in children if child.trajectory.is_done]
        [node] = prune_nodes(context, children, 1)
        if node.trajectory.is_done or context.budget.is_reasoning_over():
            break
    leaves = finished if node.trajectory.is_done else [*finished, node]
    return await rollout_from_nodes(problem, context, leaves, drop_refuted=parameters.prune)
