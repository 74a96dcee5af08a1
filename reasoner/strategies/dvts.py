"""Diverse verifier tree search: beams that do not crowd each other out (Beeching et al. 2024)."""

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
    n: int = Field(8, ge=1, le=256, description="steps drawn in each round, over all trees")
    width: int = Field(4, ge=1, le=64, description="steps drawn in each of the N/M trees")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the trees just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def dvts(problem: Problem, tools: Tools, parameters: Dvts) -> Findings:
    """Grow N/M trees apart from each other, each by the best of M next steps."""
    trees = range(max(1, parameters.n // parameters.width))
    grown = await together(_tree(problem, tools, parameters) for _ in trees)
    attempts = [attempt for tree in grown for attempt in tree]
    return await by_answer(attempts, tools.same, weigh=merit)


async def _tree(problem: Problem, tools: Tools, parameters: Dvts) -> list[Attempt]:
    """One tree's answers: all that the siblings of the best last step arrived at."""
    node = plant(problem, tools)
    ended: list[Node] = []
    for _ in range(parameters.rounds):
        children = await generate(tools, node, parameters.width, prune=parameters.prune)
        await evaluate(problem, tools, children)
        ended += [child for child in children if child.path.done]
        [node] = prune(tools, children, 1)
        if node.path.done or tools.budget.reasoning_over():
            break
    last = ended if node.path.done else [*ended, node]
    return await finish_all(problem, tools, last, prune=parameters.prune)
