"""Nodes of a search: a chain is a list of nodes, a tree is its root."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reasoner.path import Path
from reasoner.verdict import Verdict

__all__ = ["Node"]


@dataclass(eq=False, slots=True)
class Node:
    """A trajectory with the statistics of a search.

    `number` is the trajectory's number in the events. `refuted` is the verdict that refutes its
    last step. `score`, in [0, 1], is the result of an evaluation. `visits`, `quality` (Q) and
    `pending` (unfinished simulations through the node) belong to Monte-Carlo tree search. `copies`
    counts the samples that led to this state; `same`, on the others, is the node that represents
    them. `state` is the environment state after its steps, where a plugin knows the problem's
    rules.
    """

    path: Path
    number: int
    parent: "Node | None" = None
    children: "list[Node]" = field(default_factory=list)
    refuted: Verdict | None = None
    score: float | None = None
    visits: int = 0
    quality: float = 0.0
    pending: int = 0
    copies: int = 1
    pruned: bool = False
    same: "Node | None" = None
    state: str = ""

    @property
    def said(self) -> str:
        """The text between the parent and this node: its new steps, then its answer once done."""
        parent_steps = len(self.parent.path.steps) if self.parent else 0
        texts = [step.text for step in self.path.steps[parent_steps:]]
        return "\n\n".join([*texts, self.path.answer] if self.path.done else texts)

    @property
    def step(self) -> int | None:
        """The index of its last step; None once it has its answer."""
        return None if self.path.done else len(self.path.steps) - 1

    @property
    def depth(self) -> int:
        """The number of ancestors."""
        return sum(1 for _ in self.ancestors())

    def ancestors(self) -> "Iterator[Node]":
        """The parent, its parent, … up to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def subtree(self) -> "Iterator[Node]":
        """This node and all of its descendants."""
        pending_nodes = [self]
        while pending_nodes:
            node = pending_nodes.pop()
            yield node
            pending_nodes += node.children
