"""Tree of Thoughts, depth first, with backtracking (Yao et al. 2023)."""

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.backtrack import backtrack
from reasoner.operators.evaluate import merit
from reasoner.operators.node import Node
from reasoner.operators.prune import drop
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import finish, plant
from reasoner.strategies.ranking import by_answer
from reasoner.strategies.thoughts import Thoughts, leaves, think_on, weigh

__all__ = ["TotDfs", "tot_dfs"]


class TotDfs(Thoughts):
    threshold: float = Field(0.5, ge=0.0, le=1.0, description="least score of a state to go on")
    states: int = Field(24, ge=1, le=10_000, description="most states to look at")
    answers: int = Field(2, ge=1, le=64, description="answers to arrive at")


async def tot_dfs(problem: Problem, tools: Tools, parameters: TotDfs) -> Findings:
    """Tree of Thoughts, the best state first: go down while it looks good, else backtrack."""
    root = plant(problem, tools)
    node: Node | None = root
    attempts: list[Attempt] = []
    for _ in range(parameters.states):
        if node is None or tools.budget.reasoning_over():
            break
        node.visits = 1
        if node.path.done or node.depth >= parameters.depth:
            attempts.append(await finish(problem, tools, node, prune=parameters.prune))
            if node.state or len(attempts) >= parameters.answers:
                break
            node = backtrack(node)
        else:
            node = await _descend(problem, tools, node, parameters)
    if not attempts:
        [start] = leaves(root, [node] if node else [])
        attempts = [await finish(problem, tools, start, prune=parameters.prune)]
    return await by_answer(attempts, tools.same, weigh=merit)


async def _descend(problem: Problem, tools: Tools, node: Node, parameters: TotDfs) -> Node | None:
    """The best of the node's next states; where none is good enough, one elsewhere."""
    children = await think_on(problem, tools, node, parameters)
    unjudged = [child for child in children if child.score is None]
    await weigh(problem, tools, unjudged, by="judge")
    drop(tools, [child for child in unjudged if (child.score or 0.0) < parameters.threshold])
    best = [child for child in children if not child.pruned]
    return max(best, key=lambda child: child.score or 0.0) if best else backtrack(node)
