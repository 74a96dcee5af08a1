"""Tree of Thoughts, depth first, with backtracking (Yao et al. 2023)."""

from pydantic import Field

from reasoner.search.context import SearchContext
from reasoner.search.operators.backtrack import next_untried_node
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import discard_nodes
from reasoner.search.rollout import create_root, rollout_from_node
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.search.strategies.thoughts import (
    ThoughtParameters,
    expand_node,
    nodes_to_finish,
    score_states,
)
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["TotDfsParameters", "tot_dfs"]


class TotDfsParameters(ThoughtParameters):
    """The parameters of depth-first Tree of Thoughts."""

    threshold: float = Field(0.5, ge=0.0, le=1.0, description="least score of a state to go on")
    states: int = Field(24, ge=1, le=10_000, description="most states to look at")
    answers: int = Field(2, ge=1, le=64, description="answers to arrive at")


async def tot_dfs(
    problem: Problem, context: SearchContext, parameters: TotDfsParameters
) -> SearchOutcome:
    """Tree of Thoughts, the best state first: go down while it looks good, else backtrack."""
    root = create_root(problem, context)
    node: SearchNode | None = root
    candidates: list[Candidate] = []
    for _ in range(parameters.states):
        if node is None or context.budget.is_reasoning_over():
            break
        node.visits = 1
        if node.trajectory.is_done or node.depth >= parameters.depth:
            candidates.append(
                await rollout_from_node(problem, context, node, drop_refuted=parameters.prune)
            )
            if node.environment_state or len(candidates) >= parameters.answers:
                break
            node = next_untried_node(node)
        else:
            node = await _descend(problem, context, node, parameters)
    if not candidates:
        [start] = nodes_to_finish(root, [node] if node else [])
        candidates = [
            await rollout_from_node(problem, context, start, drop_refuted=parameters.prune)
        ]
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)


async def _descend(
    problem: Problem, context: SearchContext, node: SearchNode, parameters: TotDfsParameters
) -> SearchNode | None:
    """The best-scored new child of the node; where none reaches the threshold, an untried node."""
    children = await expand_node(problem, context, node, parameters)
    unscored = [child for child in children if child.score is None]
    await score_states(problem, context, unscored, method="judge")
    discard_nodes(
        context, [child for child in unscored if (child.score or 0.0) < parameters.threshold]
    )
    promising = [child for child in children if not child.pruned]
    if not promising:
        return next_untried_node(node)
    return max(promising, key=lambda child: child.score or 0.0)
