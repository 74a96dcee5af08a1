"""Selection of a leaf in Monte-Carlo tree search by PUCT."""

from math import log, sqrt

from pydantic import BaseModel, ConfigDict

from reasoner.search.operators.node import SearchNode

__all__ = ["PuctConstants", "puct_score", "select_leaf"]


class PuctConstants(BaseModel):
    """The constants of PUCT without priors, as in x1 (Besta et al. 2025), after AlphaZero
    (Silver et al. 2017)."""

    model_config = ConfigDict(frozen=True)

    c1: float = 1.25
    c2: float = 19652.0


def select_leaf(
    root: SearchNode, exploration: PuctConstants | None = None
) -> list[SearchNode] | None:
    """The nodes from the root to a leaf, following the children with the highest PUCT score.

    Pruned and finished nodes, and leaves that another simulation is expanding, are skipped; None
    when no leaf remains.
    """
    constants = exploration or PuctConstants()
    if not _is_open(root):
        return None
    qualities = [node.q_value for node in root.subtree() if node.visits]
    low, high = min(qualities, default=0.0), max(qualities, default=0.0)
    walk = [root]
    while walk[-1].children:
        parent = walk[-1]
        children = [child for child in parent.children if _is_open(child)]
        walk.append(max(children, key=lambda node: puct_score(node, parent, low, high, constants)))
    return walk


def puct_score(
    node: SearchNode, parent: SearchNode, low: float, high: float, exploration: PuctConstants
) -> float:
    """`norm(Q) + sqrt(N_parent − 1) / (1 + N) · (c1 + ln((N_parent + c2) / c2))`.

    Q is scaled by the lowest and the highest Q of the tree. An unfinished simulation counts as a
    visit with the lowest Q: the virtual loss that sends concurrent simulations elsewhere.
    """
    visits, parent_visits = (
        node.visits + node.pending_simulations,
        parent.visits + parent.pending_simulations,
    )
    quality = (
        (node.visits * node.q_value + node.pending_simulations * low) / visits if visits else low
    )
    scaled = (quality - low) / (high - low) if high > low else 0.5
    bonus = exploration.c1 + log((parent_visits + exploration.c2) / exploration.c2)
    return scaled + sqrt(max(0, parent_visits - 1)) / (1 + visits) * bonus


def _is_open(node: SearchNode) -> bool:
    """Whether the node has a leaf in its subtree that may be selected."""
    if node.pruned or node.trajectory.is_done:
        return False
    if not node.children:
        return node.pending_simulations == 0
    return any(_is_open(child) for child in node.children)
