"""The first lines of a recorded run: its question, how it was answered, how it ended."""

from typing import TYPE_CHECKING

from reasoner.cli.output.segments import BOLD, DIM, YELLOW, Segment
from reasoner.cli.output.terminal import one_line

if TYPE_CHECKING:
    from reasoner.trace.trace import Trace

__all__ = ["facts", "headline"]


def headline(run: "Trace") -> list[list[Segment]]:
    """The question, the facts of the run, and a warning when it did not come to its end."""
    question: list[Segment] = [(one_line(run.problem.question), BOLD)]
    about: list[Segment] = [(" · ".join(facts(run)), DIM)]
    if run.ended == "answered":
        return [question, about]
    return [question, about, [(one_line(f"this run did not come to its end: {run.ended}"), YELLOW)]]


def facts(run: "Trace") -> list[str]:
    """Strategy, model, seed, tokens, time, status."""
    begun = next((m.event for m in run.events if m.event.kind == "start"), None)
    known = run.settings if begun is None else begun.model_dump()  # effort may have chosen
    named = (known.get(name) for name in ("strategy", "model", "seed"))
    strategy, model, seed = (one_line(str(value)) for value in named)
    parts = [strategy, model, f"seed {seed}", f"{run.seconds:.1f} s"]
    if run.result is not None:
        parts.insert(3, f"{run.result.usage.completion_tokens} tokens")
        parts.append(run.result.status.replace("_", " "))
    return parts
