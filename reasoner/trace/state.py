"""A node of the search tree, built from events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean

from reasoner.types.events import CandidateEvent
from reasoner.types.trajectory import Step
from reasoner.types.verdict import Verdict

__all__ = ["TraceNode", "mean_logprob"]


@dataclass(eq=False, slots=True)
class TraceNode:
    """A trajectory up to one of its steps, or up to its answer when `done`.

    `id` numbers the nodes in the order of their first events. `trajectory` is the trajectory's
    number, None for the question itself; `steps` counts its steps up to here, of which `step` is
    the last. `same` is the number of the equal trajectory that was kept in place of this one;
    `copies` counts the equal ones, itself included. `text` is the answer, or an unfinished step's
    text.
    """

    id: int
    trajectory: int | None
    steps: int = 0
    done: bool = False
    parent: "TraceNode | None" = None
    children: "list[TraceNode]" = field(default_factory=list)
    step: Step | None = None
    value_score: float | None = None
    visits: int = 0
    pruned: bool = False
    same: int | None = None
    copies: int = 1
    verdicts: list[Verdict] = field(default_factory=list)
    candidate: CandidateEvent | None = None
    text: str = ""
    seconds: float = 0.0
    """Seconds from the start of the run to the node's first event."""

    @property
    def score(self) -> float | None:
        """The mean of a candidate's score from verdicts and its score from the value model, as far
        as they are known (0 if none is); None for a node that is not a candidate."""
        if self.candidate is None:
            return None
        scores = [self.candidate.standing, self.candidate.value]
        return fmean([score for score in scores if score is not None] or [0.0])

    def ancestors(self) -> "Iterator[TraceNode]":
        """The parent, its parent and so on, up to the question."""
        state = self.parent
        while state is not None:
            yield state
            state = state.parent

    def descendants(self) -> "Iterator[TraceNode]":
        """Every node below this one, each before its children, siblings in the order of their
        creation."""
        pending = self.children[::-1]
        while pending:
            state = pending.pop()
            yield state
            pending += reversed(state.children)


def mean_logprob(step: Step) -> float | None:
    """The mean natural-log probability of the step's sampled tokens, forced ones excluded; None
    when there are none.

    Its negative is the mean surprisal in nats, which estimates the entropy per token.
    """
    sampled = step.tokens - step.forced
    return step.logprob / sampled if sampled > 0 else None
