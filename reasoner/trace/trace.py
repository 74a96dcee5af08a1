"""The trace of a run as a file: its problem, settings, events and result."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from reasoner.errors import BadTrace, UsageError
from reasoner.trace.tree import SearchTree
from reasoner.types.events import Event, ResultEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["MAX_TRACE_BYTES", "TRACE_FORMAT", "TRACE_VERSION", "TimedEvent", "Trace", "load_trace"]

TRACE_FORMAT = "reasoner trace"
TRACE_VERSION = 1
MAX_TRACE_BYTES = 128 * 2**20
"""The maximum size in bytes of a trace that is read."""


class TimedEvent(BaseModel):
    """An event, recorded `at` seconds after the start of the run."""

    model_config = ConfigDict(frozen=True)

    at: float
    event: Event


class Trace(BaseModel):
    """One run. `ended` is `answered`, `interrupted` or the error; `result` is None when the run had
    none. Successive text events of a trajectory are joined to one, recorded when it is complete."""

    model_config = ConfigDict(frozen=True)

    format: str
    version: int
    reasoner: str
    started: datetime
    problem: Problem
    settings: dict[str, JsonValue]
    events: tuple[TimedEvent, ...]
    ended: str
    result: Result | None = None

    @property
    def seconds(self) -> float:
        """The duration of the run: the result's, else the time of the last event."""
        last_event = self.events[-1].at if self.events else 0.0
        return self.result.usage.seconds if self.result else last_event

    def tree(self) -> SearchTree:
        """The search tree that the events describe."""
        tree = SearchTree()
        for moment in self.events:
            tree.add_event(moment.event, moment.at)
        if self.result is not None:
            tree.add_event(ResultEvent(result=self.result), self.seconds)
        return tree


def load_trace(file: Path) -> Trace:
    """Read a trace. Raises UsageError when the file cannot be read, BadTrace when it is not a trace
    of this version."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_TRACE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > MAX_TRACE_BYTES:
        raise BadTrace(f"{file} is larger than the {MAX_TRACE_BYTES // 2**20} MB a trace may have")
    try:
        return _check_version(file, Trace.model_validate_json(data))
    except ValidationError as error:
        raise BadTrace(f"{file} is no trace: {_first_problem(error)}") from error


def _check_version(file: Path, trace: Trace) -> Trace:
    if trace.format != TRACE_FORMAT:
        raise BadTrace(f"{file} is no trace: its format is {trace.format[:40]!r}")
    if trace.version != TRACE_VERSION:
        raise BadTrace(
            f"{file} is a trace of version {trace.version}, this program reads {TRACE_VERSION}; "
            f"it was written by reasoner {trace.reasoner[:20]}"
        )
    return trace


def _first_problem(error: ValidationError) -> str:
    """The place and the text of the first validation error."""
    problem: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        return f"{problem['msg']}; it may have been cut off"
    place = ".".join(map(str, problem["loc"]))[:80]
    return f"{place or 'the whole'}: {problem['msg']}"
