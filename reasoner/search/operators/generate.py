"""Sampling of a node's next steps."""

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import merge_duplicates
from reasoner.search.operators.refine import resample_step

__all__ = ["sample_children"]


async def sample_children(
    context: SearchContext, node: SearchNode, count: int = 1, *, drop_refuted: bool = True
) -> list[SearchNode]:
    """The node's new children: `count` samples of its next step, generated concurrently.

    With `prune`, a step that a verifier refutes is sampled once more and left out if it is refuted
    again; but at least one child remains. Equal samples become one child. A single child keeps its
    parent's trajectory number; several get new numbers. Raises what the context's
    `extend_trajectory` does.
    """
    single = count == 1 and not node.children
    numbers = [node.number] if single else [next(context.trajectory_numbers) for _ in range(count)]
    samples = await gather_all(
        _sample_child(context, node, number, drop_refuted) for number in numbers
    )
    distinct = merge_duplicates(samples)
    children = [child for child in distinct if child.refutation is None] or distinct[:1]
    for child in distinct:
        if child not in children:
            context.release_trajectory(child.trajectory, node.trajectory)
    for sample in samples:
        sample.pruned = sample not in children
        context.emit_node(sample)
    node.children += children
    return children


async def _sample_child(
    context: SearchContext, parent: SearchNode, number: int, prune: bool
) -> SearchNode:
    child = SearchNode(await context.extend_trajectory(parent.trajectory, number), number, parent)
    if not prune:
        return child
    child.refutation = await context.verify_step(child.new_text, number, child.step_index)
    return child if child.refutation is None else await resample_step(context, child)
