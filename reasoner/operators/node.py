"""A state of thought in a structure: a chain is a list of nodes, a tree its root."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reasoner.path import Path
from reasoner.verdict import Verdict

__all__ = ["Node"]


@dataclass(eq=False, slots=True)
class Node:
    """A path, and what a search knows about it.

    `number` is the line of thought it is told under. `refuted` is the verdict against its last
    step. `score`, in [0, 1], is what an evaluation said; `visits`, `quality` and `pending` (walks
    under way through it) belong to Monte-Carlo tree search. `copies` counts the samples that came
    to this very state; of the others, `same` is the one that was kept. `state` is what its steps
    have come to, where a plugin frames the problem.
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
        """What was written between the parent and this node: its step, or else its answer."""
        before = len(self.parent.path.steps) if self.parent else 0
        fresh = [step.text for step in self.path.steps[before:]]
        return "\n\n".join([*fresh, self.path.answer] if self.path.done else fresh)

    @property
    def step(self) -> int | None:
        """The index of its last step; None once it has its answer."""
        return None if self.path.done else len(self.path.steps) - 1

    @property
    def depth(self) -> int:
        return sum(1 for _ in self.ancestors())

    def ancestors(self) -> "Iterator[Node]":
        """The parent, its parent, … up to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def subtree(self) -> "Iterator[Node]":
        """This node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children
