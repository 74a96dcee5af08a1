"""Generate: grow a structure by steps."""

from collections.abc import Iterable

from reasoner.operators.node import Node
from reasoner.operators.prune import merge
from reasoner.operators.refine import refine
from reasoner.operators.together import together
from reasoner.operators.tools import Tools

__all__ = ["generate"]


async def generate(tools: Tools, node: Node, count: int = 1, *, prune: bool = True) -> list[Node]:
    """The node's new children: `count` samples of its next step, drawn side by side.

    With `prune`, a step that a plugin refutes is drawn once more, and if that one is refuted too
    it is left out; but a node is never left without a child. Samples that came out the same are
    one child. A single child goes on under its parent's number, several get numbers of their own.
    """
    alone = count == 1 and not node.children
    numbers = [node.number] if alone else [next(tools.numbers) for _ in range(count)]
    sampled = await together(_sample(tools, node, number, prune) for number in numbers)
    drawn = merge(sampled)
    children = _sound(drawn) or drawn[:1]
    for refuted in drawn:
        if refuted not in children:
            tools.drop(refuted.path, node.path)
    for sample in sampled:
        sample.pruned = sample not in children
        tools.tell(sample)
    node.children += children
    return children


def _sound(nodes: Iterable[Node]) -> list[Node]:
    return [node for node in nodes if node.refuted is None]


async def _sample(tools: Tools, parent: Node, number: int, prune: bool) -> Node:
    child = Node(await tools.extend(parent.path, number), number, parent)
    if not prune:
        return child
    child.refuted = await tools.check_step(child.said, number, child.step)
    return child if child.refuted is None else await refine(tools, child)
