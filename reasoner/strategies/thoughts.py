"""Thought generation and state evaluation, shared by both Tree-of-Thoughts searches (Yao et al.
2023)."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from reasoner.operators.deliberate import judge, vote
from reasoner.operators.evaluate import evaluate
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.propose import propose
from reasoner.operators.small_steps import small_steps
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.parameters import Parameters

__all__ = ["Thoughts", "leaves", "think_on", "weigh"]


class Thoughts(Parameters):
    """The parameters of both Tree-of-Thoughts searches."""

    thoughts: Literal["sample", "propose"] = Field(
        "sample", description="draw each next step by itself, or ask for several in one reply"
    )
    width: int = Field(4, ge=1, le=16, description="next steps from each state")
    depth: int = Field(8, ge=1, le=1000, description="most steps before the answer is due")
    prune: bool = Field(True, description="leave out steps that are refuted")
    framed: bool = Field(True, description="think in small steps where a plugin knows how")


async def think_on(
    problem: Problem, context: Tools, node: Node, parameters: Thoughts
) -> list[Node]:
    """The node's new children: steps in the problem's environment where a plugin knows its rules,
    else proposed or sampled steps. Where the model proposes none, one is sampled; in an environment
    there may be none."""
    if parameters.framed and (node.state or not node.path.steps):
        frame = await context.frame(problem, [step.text for step in node.path.steps])
        if frame is not None:
            return await small_steps(problem, context, node, frame, parameters.width)
    if parameters.thoughts == "propose":
        children = await propose(problem, context, node, parameters.width, prune=parameters.prune)
        return children or await generate(context, node, prune=parameters.prune)
    return await generate(context, node, parameters.width, prune=parameters.prune)


async def weigh(
    problem: Problem, context: Tools, nodes: Sequence[Node], by: Literal["vote", "judge"]
) -> None:
    """Score the nodes that have no score yet: by the value model where there is one, else by the
    policy's votes (`by="vote"`) or its separate judgements (`by="judge"`)."""
    unscored = [node for node in nodes if node.score is None]
    if not unscored:
        return
    if context.value is not None:
        await evaluate(problem, context, unscored)
    elif by == "vote":
        await vote(problem, context, unscored)
    else:
        await judge(problem, context, unscored)


def leaves(root: Node, nodes: Sequence[Node]) -> list[Node]:
    """The nodes from which to finish candidates; the root, where the search stopped half way in an
    environment, whose unfinished steps are no reply."""
    finishable = [node for node in nodes if node.path.done or not node.state]
    return finishable or [root]
