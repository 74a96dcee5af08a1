"""Select: walk down a tree to the node that deserves the next look."""

from math import log, sqrt

from pydantic import BaseModel, ConfigDict

from reasoner.operators.node import Node

__all__ = ["Exploration", "puct", "select"]


class Exploration(BaseModel):
    """The constants of PUCT without priors, as in x1 (Besta et al. 2025), after AlphaZero."""

    model_config = ConfigDict(frozen=True)

    c1: float = 1.25
    c2: float = 19652.0


def select(root: Node, exploration: Exploration | None = None) -> list[Node] | None:
    """The walk from the root to a leaf along the children with the highest PUCT.

    Nodes that are settled, and leaves another walk is growing just now, are passed by; None when
    nothing is left to select.
    """
    chosen = exploration or Exploration()
    if not _open(root):
        return None
    qualities = [node.quality for node in root.subtree() if node.visits]
    low, high = min(qualities, default=0.0), max(qualities, default=0.0)
    walk = [root]
    while walk[-1].children:
        parent = walk[-1]
        options = [child for child in parent.children if _open(child)]
        walk.append(max(options, key=lambda node: puct(node, parent, low, high, chosen)))
    return walk


def puct(node: Node, parent: Node, low: float, high: float, exploration: Exploration) -> float:
    """`norm(Q) + sqrt(N_parent − 1) / (1 + N) · (c1 + ln((N_parent + c2) / c2))`.

    Q is scaled by the lowest and the highest quality of the tree. A walk under way counts as a
    visit that found the lowest quality: the virtual loss that sends parallel walks elsewhere.
    """
    visits, above = node.visits + node.pending, parent.visits + parent.pending
    quality = (node.visits * node.quality + node.pending * low) / visits if visits else low
    scaled = (quality - low) / (high - low) if high > low else 0.5
    bonus = exploration.c1 + log((above + exploration.c2) / exploration.c2)
    return scaled + sqrt(max(0, above - 1)) / (1 + visits) * bonus


def _open(node: Node) -> bool:
    """Whether something below the node can still be looked at."""
    if node.pruned or node.path.done:
        return False
    if not node.children:
        return node.pending == 0
    return any(_open(child) for child in node.children)
