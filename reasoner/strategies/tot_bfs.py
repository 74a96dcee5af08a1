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
    """The parameters of breadth-first Tree of Thoughts."""

    breadth: int = Field(3, ge=1, le=64, description="states kept at each depth")


async def tot_bfs(problem: Problem, context: Tools, parameters: TotBfs) -> Findings:
    """Tree of Thoughts, level by level: the model votes which states to keep."""
    root = plant(problem, context)
    front = [root]
    finished: list[Node] = []
    for _ in range(parameters.depth):
        expansions = await together(think_on(problem, context, node, parameters) for node in front)
        states = [child for children in expansions for child in children]
        await weigh(problem, context, states, by="vote")
        frontier = prune(context, states, parameters.breadth)
        finished += [node for node in frontier if node.path.done]
        front = [node for node in frontier if not node.path.done]
        enough = len(finished) >= parameters.breadth or any(node.state for node in finished)
        if not front or enough or context.budget.reasoning_over():
            break
    last_nodes = leaves(root, [*finished, *front])[: parameters.breadth]
    candidates = await finish_all(problem, context, last_nodes, prune=parameters.prune)
    return await by_answer(candidates, context.same, weigh=merit)
