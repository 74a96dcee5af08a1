"""One line of thought, checked at its end: what every search comes down to."""

from collections.abc import Iterable

from reasoner.attempt import Attempt
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["finish", "finish_all", "line", "plant"]


def plant(problem: Problem, tools: Tools) -> Node:
    """A new root, where nothing has been thought yet."""
    root = Node(tools.start(problem), next(tools.numbers))
    tools.tell(root)
    return root


async def line(
    problem: Problem, tools: Tools, *, prune: bool, asked: Problem | None = None
) -> Attempt:
    """Think from the beginning to an answer; with `prune`, refuted steps are drawn again.

    `asked` is what the model is asked where that is not the problem as it stands.
    """
    return await finish(problem, tools, plant(asked or problem, tools), prune=prune)


async def finish(problem: Problem, tools: Tools, start: Node, *, prune: bool) -> Attempt:
    """Take a node to its answer, step by step; the tree it stands in is left as it is."""
    node = start
    while not node.path.done:
        bud = Node(node.path, node.number, node.parent)
        node = (await generate(tools, bud, prune=prune))[0]
    keep = start.parent.path if start.path.done and start.parent else start.path
    return await tools.attempt(problem, node.path, node.number, keep)


async def finish_all(
    problem: Problem, tools: Tools, nodes: Iterable[Node], *, prune: bool
) -> list[Attempt]:
    """Take several nodes to their answers, side by side."""
    return await together(finish(problem, tools, node, prune=prune) for node in nodes)
