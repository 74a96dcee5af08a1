"""Nodes of a search: a chain is a list of nodes, a tree is its root."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reasoner.types.trajectory import Trajectory
from reasoner.types.verdict import Verdict

__all__ = ["SearchNode"]


@dataclass(eq=False, slots=True)
class SearchNode:
    """A trajectory with the statistics of a search.

    `number` is the trajectory's number in the events. `refutation` is the verdict that refutes its
    last step. `score`, in [0, 1], is the result of an evaluation. `visits`, `q_value` (Q) and
    `pending_simulations` (unfinished simulations through the node) belong to Monte-Carlo tree
    search. `sample_count` counts the samples that led to this state; `duplicate_of`, on the others,
    is the node that represents them. `environment_state` is the environment state after its steps,
    where a plugin knows the problem's rules.
    """

    trajectory: Trajectory
    number: int
    parent: "SearchNode | None" = None
    children: "list[SearchNode]" = field(default_factory=list)
    refutation: Verdict | None = None
    score: float | None = None
    visits: int = 0
    q_value: float = 0.0
    pending_simulations: int = 0
    sample_count: int = 1
    pruned: bool = False
    duplicate_of: "SearchNode | None" = None
    environment_state: str = ""

    @property
    def new_text(self) -> str:
        """The text between the parent and this node: its new steps, then its answer once done."""
        parent_steps = len(self.parent.trajectory.steps) if self.parent else 0
        texts = [step.text for step in self.trajectory.steps[parent_steps:]]
        return "\n\n".join([*texts, self.trajectory.answer] if self.trajectory.is_done else texts)

    @property
    def step_index(self) -> int | None:
        """The index of its last step; None once it has its answer."""
        return None if self.trajectory.is_done else len(self.trajectory.steps) - 1

    @property
    def depth(self) -> int:
        """The number of ancestors."""
        return sum(1 for _ in self.ancestors())

    def ancestors(self) -> "Iterator[SearchNode]":
        """The parent, its parent, … up to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def subtree(self) -> "Iterator[SearchNode]":
        """This node and all of its descendants."""
        pending_nodes = [self]
        while pending_nodes:
            node = pending_nodes.pop()
            yield node
            pending_nodes += node.children
