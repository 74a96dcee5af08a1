"""What both Tree-of-Thoughts searches share: how thoughts come up and how they are weighed."""

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
    thoughts: Literal["sample", "propose"] = Field(
        "sample", description="draw each next step by itself, or ask for several in one reply"
    )
    width: int = Field(4, ge=1, le=16, description="next steps from each state")
    depth: int = Field(8, ge=1, le=1000, description="most steps before the answer is due")
    prune: bool = Field(True, description="leave out steps that are refuted")
    framed: bool = Field(True, description="think in small steps where a plugin knows how")


async def think_on(problem: Problem, tools: Tools, node: Node, parameters: Thoughts) -> list[Node]:
    """A state's next thoughts. Where the model proposes none, one is drawn; where a plugin frames
    the problem there may be none worth a look."""
    if parameters.framed and (node.state or not node.path.steps):
        frame = await tools.frame(problem, [step.text for step in node.path.steps])
        if frame is not None:
            return await small_steps(problem, tools, node, frame, parameters.width)
    if parameters.thoughts == "propose":
        found = await propose(problem, tools, node, parameters.width, prune=parameters.prune)
        return found or await generate(tools, node, prune=parameters.prune)
    return await generate(tools, node, parameters.width, prune=parameters.prune)


async def weigh(
    problem: Problem, tools: Tools, nodes: Sequence[Node], by: Literal["vote", "judge"]
) -> None:
    """Score the states that have no score yet: by the value model where there is one, else the
    model votes or judges."""
    nodes = [node for node in nodes if node.score is None]
    if not nodes:
        return
    if tools.value is not None:
        await evaluate(problem, tools, nodes)
    elif by == "vote":
        await vote(problem, tools, nodes)
    else:
        await judge(problem, tools, nodes)


def leaves(root: Node, nodes: Sequence[Node]) -> list[Node]:
    """The nodes to answer from: where small steps stopped half way, that is the root."""
    ends = [node for node in nodes if node.path.done or not node.state]
    return ends or [root]
