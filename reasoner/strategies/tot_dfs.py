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
    """The parameters of depth-first Tree of Thoughts."""

    threshold: float = Field(0.5, ge=0.0, le=1.0, description="least score of a state to go on")
    states: int = Field(24, ge=1, le=10_000, description="most states to look at")
    answers: int = Field(2, ge=1, le=64, description="answers to arrive at")


async def tot_dfs(problem: Problem, context: Tools, parameters: TotDfs) -> Findings:
    """Tree of Thoughts, the best state first: go down while it looks good, else backtrack."""
    root = plant(problem, context)
    node: Node | None = root
    candidates: list[Attempt] = []
    for _ in range(parameters.states):
        if node is None or context.budget.reasoning_over():
            break
        node.visits = 1
        if node.path.done or node.depth >= parameters.depth:
            candidates.append(await finish(problem, context, node, prune=parameters.prune))
            if node.state or len(candidates) >= parameters.answers:
                break
            node = backtrack(node)
        else:
            node = await _descend(problem, context, node, parameters)
    if not candidates:
        [start] = leaves(root, [node] if node else [])
        candidates = [await finish(problem, context, start, prune=parameters.prune)]
    return await by_answer(candidates, context.same, weigh=merit)


async def _descend(problem: Problem, context: Tools, node: Node, parameters: TotDfs) -> Node | None:
    """The best-scored new child of the node; where none reaches the threshold, an untried node."""
    children = await think_on(problem, context, node, parameters)
    unscored = [child for child in children if child.score is None]
    await weigh(problem, context, unscored, by="judge")
    drop(context, [child for child in unscored if (child.score or 0.0) < parameters.threshold])
    promising = [child for child in children if not child.pruned]
    if not promising:
        return backtrack(node)
    return max(promising, key=lambda child: child.score or 0.0)
