"""Tree of Thoughts, breadth first (Yao et al. 2023)."""

from pydantic import Field

from reasoner.attempt import Findings
from reasoner.operators.evaluate import merit
from reasoner.operators.node import Node
from reasoner.operators.prune import prune
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import finish_all, plant
from reasoner.strategies.ranking import by_answer
from reasoner.strategies.thoughts import Thoughts, leaves, think_on, weigh

__all__ = ["TotBfs", "tot_bfs"]


class TotBfs(Thoughts):
    breadth: int = Field(3, ge=1, le=64, description="states kept at each depth")


async def tot_bfs(problem: Problem, tools: Tools, parameters: TotBfs) -> Findings:
    """Tree of Thoughts, level by level: the model votes which states to keep."""
    root = plant(problem, tools)
    front = [root]
    ended: list[Node] = []
    for _ in range(parameters.depth):
        grown = await together(think_on(problem, tools, node, parameters) for node in front)
        states = [child for children in grown for child in children]
        await weigh(problem, tools, states, by="vote")
        kept = prune(tools, states, parameters.breadth)
        ended += [node for node in kept if node.path.done]
        front = [node for node in kept if not node.path.done]
        enough = len(ended) >= parameters.breadth or any(node.state for node in ended)
        if not front or enough or tools.budget.reasoning_over():
            break
    last = leaves(root, [*ended, *front])[: parameters.breadth]
    attempts = await finish_all(problem, tools, last, prune=parameters.prune)
    return await by_answer(attempts, tools.same, weigh=merit)
