"""Thought generation and state evaluation, shared by both Tree-of-Thoughts searches (Yao et al.
2023)."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from reasoner.search.context import SearchContext
from reasoner.search.operators.deliberate import judge_states, vote_on_states
from reasoner.search.operators.evaluate import score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.propose import propose_children
from reasoner.search.operators.small_steps import expand_in_environment
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.types.problem import Problem

__all__ = ["ThoughtParameters", "expand_node", "nodes_to_finish", "score_states"]


class ThoughtParameters(StrategyParameters):
    """The parameters of both Tree-of-Thoughts searches."""

    thoughts: Literal["sample", "propose"] = Field(
        "sample", description="draw each next step by itself, or ask for several in one reply"
    )
    width: int = Field(4, ge=1, le=16, description="next steps from each state")
    depth: int = Field(8, ge=1, le=1000, description="most steps before the answer is due")
    prune: bool = Field(True, description="leave out steps that are refuted")
    framed: bool = Field(True, description="think in small steps where a plugin knows how")


async def expand_node(
    problem: Problem, context: SearchContext, node: SearchNode, parameters: ThoughtParameters
) -> list[SearchNode]:
    """The node's new children: steps in the problem's environment where a plugin knows its rules,
    else proposed or sampled steps. Where the model proposes none, one is sampled; in an environment
    there may be none."""
    if parameters.framed and (node.environment_state or not node.trajectory.steps):
        environment = await context.environment_state(
            problem, [step.text for step in node.trajectory.steps]
        )
        if environment is not None:
            return await expand_in_environment(
                problem, context, node, environment, parameters.width
            )
    if parameters.thoughts == "propose":
        children = await propose_children(
            problem, context, node, parameters.width, drop_refuted=parameters.prune
        )
        return children or await sample_children(context, node, drop_refuted=parameters.prune)
    return await sample_children(context, node, parameters.width, drop_refuted=parameters.prune)


async def score_states(
    problem: Problem,
    context: SearchContext,
    nodes: Sequence[SearchNode],
    method: Literal["vote", "judge"],
) -> None:
    """Score the nodes that have no score yet: by the value model where there is one, else by the
    policy's votes (`method="vote"`) or its separate judgements (`method="judge"`)."""
    unscored = [node for node in nodes if node.score is None]
    if not unscored:
        return
    if context.value_scorer is not None:
        await score_nodes(problem, context, unscored)
    elif method == "vote":
        await vote_on_states(problem, context, unscored)
    else:
        await judge_states(problem, context, unscored)


def nodes_to_finish(root: SearchNode, nodes: Sequence[SearchNode]) -> list[SearchNode]:
    """The nodes from which to finish candidates; the root, where the search stopped half way in an
    environment, whose unfinished steps are no reply."""
    finishable = [node for node in nodes if node.trajectory.is_done or not node.environment_state]
    return finishable or [root]
