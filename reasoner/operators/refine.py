"""Refine: say a step again that was found wrong."""

from reasoner.operators.node import Node
from reasoner.operators.tools import Tools

__all__ = ["refine"]


async def refine(tools: Tools, node: Node) -> Node:
    """The node's last step drawn anew from before it, and checked again; the node itself once
    nothing may be drawn any more."""
    if node.parent is None or tools.budget.stopped:
        return node
    node.pruned = True
    tools.tell(node)
    tools.drop(node.path, node.parent.path)
    path = await tools.extend(node.parent.path, node.number, retry=1)
    again = Node(path, node.number, node.parent)
    again.refuted = await tools.check_step(again.said, node.number, again.step)
    return again
