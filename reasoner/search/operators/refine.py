"""Resampling of a refuted step."""

from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode

__all__ = ["resample_step"]


async def resample_step(context: SearchContext, node: SearchNode) -> SearchNode:
    """A new node whose last step is sampled anew from the parent and verified again; the node
    itself when it has no parent or the budget has stopped. Raises what the context's
    `extend_trajectory` does.
    """
    if node.parent is None or context.budget.is_stopped:
        return node
    node.pruned = True
    context.emit_node(node)
    context.release_trajectory(node.trajectory, node.parent.trajectory)
    trajectory = await context.extend_trajectory(node.parent.trajectory, node.number, retry=1)
    resampled = SearchNode(trajectory, node.number, node.parent)
    resampled.refutation = await context.verify_step(
        resampled.new_text, node.number, resampled.step_index
    )
    return resampled
