"""Tree of Thoughts, breadth first (Yao et al. 2023)."""

from pydantic import Field

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import prune_nodes
from reasoner.search.rollout import create_root, rollout_from_nodes
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.search.strategies.thoughts import (
    ThoughtParameters,
    expand_node,
    nodes_to_finish,
    score_states,
)
from reasoner.types.candidate import SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["TotBfsParameters", "tot_bfs"]


class TotBfsParameters(ThoughtParameters):
    """The parameters of breadth-first Tree of Thoughts."""

    breadth: int = Field(3, ge=1, le=64, description="states kept at each depth")


async def tot_bfs(
    problem: Problem, context: SearchContext, parameters: TotBfsParameters
) -> SearchOutcome:
    """Tree of Thoughts, level by level: the model votes which states to keep."""
    root = create_root(problem, context)
    front = [root]
    finished: list[SearchNode] = []
    for _ in range(parameters.depth):
        expansions = await gather_all(
            expand_node(problem, context, node, parameters) for node in front
        )
        states = [child for children in expansions for child in children]
        await score_states(problem, context, states, method="vote")
        frontier = prune_nodes(context, states, parameters.breadth)
        finished += [node for node in frontier if node.trajectory.is_done]
        front = [node for node in frontier if not node.trajectory.is_done]
        enough = len(finished) >= parameters.breadth or any(
            node.environment_state for node in finished
        )
        if not front or enough or context.budget.is_reasoning_over():
            break
    last_nodes = nodes_to_finish(root, [*finished, *front])[: parameters.breadth]
    candidates = await rollout_from_nodes(
        problem, context, last_nodes, drop_refuted=parameters.prune
    )
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)
