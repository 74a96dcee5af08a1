"""Selection of a leaf in Monte-Carlo tree search by PUCT."""

from math import log, sqrt

from pydantic import BaseModel, ConfigDict

from reasoner.operators.node import Node

__all__ = ["Exploration", "puct", "select"]


class Exploration(BaseModel):
    """The constants of PUCT without priors, as in x1 (Besta et al. 2025), after AlphaZero
    (Silver et al. 2017)."""

    model_config = ConfigDict(frozen=True)

    c1: float = 1.25
    c2: float = 19652.0


def select(root: Node, exploration: Exploration | None = None) -> list[Node] | None:
    """The nodes from the root to a leaf, following the children with the highest PUCT score.

    Pruned and finished nodes, and leaves that another simulation is expanding, are skipped; None
    when no leaf remains.
    """
    constants = exploration or Exploration()
    if not _is_open(root):
        return None
    qualities = [node.quality for node in root.subtree() if node.visits]
    low, high = min(qualities, default=0.0), max(qualities, default=0.0)
    walk = [root]
    while walk[-1].children:
        parent = walk[-1]
        children = [child for child in parent.children if _is_open(child)]
        walk.append(max(children, key=lambda node: puct(node, parent, low, high, constants)))
    return walk


def puct(node: Node, parent: Node, low: float, high: float, exploration: Exploration) -> float:
    """`norm(Q) + sqrt(N_parent − 1) / (1 + N) · (c1 + ln((N_parent + c2) / c2))`.

    Q is scaled by the lowest and the highest Q of the tree. An unfinished simulation counts as a
    visit with the lowest Q: the virtual loss that sends concurrent simulations elsewhere.
    """
    visits, parent_visits = node.visits + node.pending, parent.visits + parent.pending
    quality = (node.visits * node.quality + node.pending * low) / visits if visits else low
    scaled = (quality - low) / (high - low) if high > low else 0.5
    bonus = exploration.c1 + log((parent_visits + exploration.c2) / exploration.c2)
    return scaled + sqrt(max(0, parent_visits - 1)) / (1 + visits) * bonus


def _is_open(node: Node) -> bool:
    """Whether the node has a leaf in its subtree that may be selected."""
    if node.pruned or node.path.done:
        return False
    if not node.children:
        return node.pending == 0
    return any(_is_open(child) for child in node.children)
