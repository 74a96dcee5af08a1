"""One line of thought, checked at its end: what the sampling strategies draw many of."""

from reasoner.attempt import Attempt
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["finish", "line"]


async def line(problem: Problem, tools: Tools, *, prune: bool) -> Attempt:
    """Think from the beginning to an answer; with `prune`, refuted steps are drawn again."""
    return await finish(problem, tools, Node(tools.start(problem), next(tools.numbers)), prune)


async def finish(problem: Problem, tools: Tools, node: Node, prune: bool = True) -> Attempt:
    """Take a node to its answer, step by step."""
    while not node.path.done:
        node = (await generate(tools, node, prune=prune))[0]
    return await tools.attempt(problem, node.path, node.number)
