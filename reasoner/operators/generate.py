"""Sampling of a node's next steps."""

from reasoner.operators.node import Node
from reasoner.operators.prune import merge
from reasoner.operators.refine import refine
from reasoner.operators.together import together
from reasoner.operators.tools import Tools

__all__ = ["generate"]


async def generate(context: Tools, node: Node, count: int = 1, *, prune: bool = True) -> list[Node]:
    """The node's new children: `count` samples of its next step, generated concurrently.

    With `prune`, a step that a verifier refutes is sampled once more and left out if it is refuted
    again; but at least one child remains. Equal samples become one child. A single child keeps its
    parent's trajectory number; several get new numbers. Raises what the context's `extend` does.
    """
    single = count == 1 and not node.children
    numbers = [node.number] if single else [next(context.numbers) for _ in range(count)]
    samples = await together(_sample_child(context, node, number, prune) for number in numbers)
    distinct = merge(samples)
    children = [child for child in distinct if child.refuted is None] or distinct[:1]
    for child in distinct:
        if child not in children:
            context.drop(child.path, node.path)
    for sample in samples:
        sample.pruned = sample not in children
        context.tell(sample)
    node.children += children
    return children


async def _sample_child(context: Tools, parent: Node, number: int, prune: bool) -> Node:
    child = Node(await context.extend(parent.path, number), number, parent)
    if not prune:
        return child
    child.refuted = await context.check_step(child.said, number, child.step)
    return child if child.refuted is None else await refine(context, child)
