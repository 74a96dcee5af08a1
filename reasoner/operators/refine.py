"""Resampling of a refuted step."""

from reasoner.operators.node import Node
from reasoner.operators.tools import Tools

__all__ = ["refine"]


async def refine(context: Tools, node: Node) -> Node:
    """A new node whose last step is sampled anew from the parent and verified again; the node
    itself when it has no parent or the budget has stopped. Raises what the context's `extend` does.
    """
    if node.parent is None or context.budget.stopped:
        return node
    node.pruned = True
    context.tell(node)
    context.drop(node.path, node.parent.path)
    trajectory = await context.extend(node.parent.path, node.number, retry=1)
    resampled = Node(trajectory, node.number, node.parent)
    resampled.refuted = await context.check_step(resampled.said, node.number, resampled.step)
    return resampled
