"""A run as it is kept in a file: what was asked, under which settings, what happened, what came."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from reasoner.errors import BadTrace, UsageError
from reasoner.events import Event, ResultEvent
from reasoner.problem import Problem
from reasoner.result import Result
from reasoner.trace.tree import SearchTree

__all__ = ["FORMAT", "LARGEST", "VERSION", "Moment", "Trace", "load_trace"]

FORMAT = "reasoner trace"
VERSION = 1
LARGEST = 128 * 2**20
"""Bytes of a trace that is read."""


class Moment(BaseModel):
    """An event, and how many seconds after the beginning it was noted."""

    model_config = ConfigDict(frozen=True)

    at: float
    event: Event


class Trace(BaseModel):
    """One run. `ended` is `answered`, `interrupted` or what went wrong; only where there was a
    result is there one here. The pieces of a text are one event, noted when it was complete."""

    model_config = ConfigDict(frozen=True)

    format: str
    version: int
    reasoner: str
    started: datetime
    problem: Problem
    settings: dict[str, JsonValue]
    events: tuple[Moment, ...]
    ended: str
    result: Result | None = None

    @property
    def seconds(self) -> float:
        """How long the run took, as far as that was noted."""
        noted = self.events[-1].at if self.events else 0.0
        return self.result.usage.seconds if self.result else noted

    def tree(self) -> SearchTree:
        """The tree that the events tell of."""
        tree = SearchTree()
        for moment in self.events:
            tree.feed(moment.event, moment.at)
        if self.result is not None:
            tree.feed(ResultEvent(result=self.result), self.seconds)
        return tree


def load_trace(file: Path) -> Trace:
    """Read a trace. Raises UsageError when there is no such file, BadTrace when it is none."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise BadTrace(f"{file} is larger than the {LARGEST // 2**20} MB a trace may have")
    try:
        return _known(file, Trace.model_validate_json(data))
    except ValidationError as error:
        raise BadTrace(f"{file} is no trace: {_first(error)}") from error


def _known(file: Path, trace: Trace) -> Trace:
    if trace.format != FORMAT:
        raise BadTrace(f"{file} is no trace: its format is {trace.format[:40]!r}")
    if trace.version != VERSION:
        raise BadTrace(
            f"{file} is a trace of version {trace.version}, this program reads {VERSION}; "
            f"it was written by reasoner {trace.reasoner[:20]}"
        )
    return trace


def _first(error: ValidationError) -> str:
    """The first thing that is wrong with it."""
    found: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if found["type"] == "json_invalid":
        return f"{found['msg']}; it may have been cut off"
    place = ".".join(map(str, found["loc"]))[:80]
    return f"{place or 'the whole'}: {found['msg']}"
