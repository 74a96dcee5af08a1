"""Diverse verifier tree search: beam search in independent subtrees (Beeching et al. 2024)."""

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.evaluate import evaluate, merit
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.prune import prune
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import finish_all, plant
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer

__all__ = ["Dvts", "dvts"]


class Dvts(Parameters):
    """The parameters of DVTS: N = `n` steps in each round, M = `width` of them in each tree."""

    n: int = Field(8, ge=1, le=256, description="steps drawn in each round, over all trees")
    width: int = Field(4, ge=1, le=64, description="steps drawn in each of the N/M trees")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the trees just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def dvts(problem: Problem, context: Tools, parameters: Dvts) -> Findings:
    """Grow N/M trees apart from each other, each by the best of M next steps."""
    tree_indices = range(max(1, parameters.n // parameters.width))
    trees = await together(_search_tree(problem, context, parameters) for _ in tree_indices)
    candidates = [candidate for tree in trees for candidate in tree]
    return await by_answer(candidates, context.same, weigh=merit)


async def _search_tree(problem: Problem, context: Tools, parameters: Dvts) -> list[Attempt]:
    """One tree's candidates: the best last node and all nodes that finished before it."""
    node = plant(problem, context)
    finished: list[Node] = []
    for _ in range(parameters.rounds):
        children = await generate(context, node, parameters.width, prune=parameters.prune)
        await evaluate(problem, context, children)
        finished += [child for child in children if child.path.done]
        [node] = prune(context, children, 1)
        if node.path.done or context.budget.reasoning_over():
            break
    leaves = finished if node.path.done else [*finished, node]
    return await finish_all(problem, context, leaves, prune=parameters.prune)
