"""A state of a search as the events tell of it: a node of the tree that is shown."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean

from reasoner.events import CandidateEvent
from reasoner.path import Step
from reasoner.verdict import Verdict

__all__ = ["State", "mean_logprob"]


@dataclass(eq=False, slots=True)
class State:
    """What was thought up to a step, or to the answer when `done`.

    `id` numbers the states in the order in which they were told. `path` is the line of thought,
    None for the question itself; `steps` counts the steps it has here, of which `step` is the
    last. `same` is the line that says the same and was kept, `copies` counts those. `text` is the
    answer, or what was being written when it was last heard of.
    """

    id: int
    path: int | None
    steps: int = 0
    done: bool = False
    parent: "State | None" = None
    children: "list[State]" = field(default_factory=list)
    step: Step | None = None
    value: float | None = None
    visits: int = 0
    pruned: bool = False
    same: int | None = None
    copies: int = 1
    verdicts: list[Verdict] = field(default_factory=list)
    candidate: CandidateEvent | None = None
    text: str = ""
    at: float = 0.0
    """Seconds from the beginning to when it was first told."""

    @property
    def merit(self) -> float | None:
        """What a finished line is worth as far as anybody was asked: its checks, its value."""
        if self.candidate is None:
            return None
        known = [self.candidate.standing, self.candidate.value]
        return fmean([part for part in known if part is not None] or [0.0])

    def ancestors(self) -> "Iterator[State]":
        """The parent, its parent, … up to the question."""
        state = self.parent
        while state is not None:
            yield state
            state = state.parent

    def below(self) -> "Iterator[State]":
        """All states below this one, each before its children, in the order of their telling."""
        waiting = self.children[::-1]
        while waiting:
            state = waiting.pop()
            yield state
            waiting += reversed(state.children)


def mean_logprob(step: Step) -> float | None:
    """The mean natural-log probability of the tokens the model chose itself; None without any.

    Its negative is the step's mean surprise in nats, which estimates the entropy per token.
    """
    drawn = step.tokens - step.forced
    return step.logprob / drawn if drawn > 0 else None
