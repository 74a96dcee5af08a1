"""Recording of a run as a JSON file, which appears only when it is complete."""

import json
import os
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from reasoner.atomic_file import draft_path, replace_file
from reasoner.errors import Interrupted, ReasonerError, UsageError
from reasoner.settings import Settings
from reasoner.trace.trace import TRACE_FORMAT, TRACE_VERSION, TimedEvent
from reasoner.types.events import Channel, Event, ResultEvent, TextEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["TraceWriter"]


class TraceWriter:
    """Records a run's events in `file`, or nothing when it is None.

    The events go to a draft, which takes the file's place at the end, whether the run succeeded,
    failed or was interrupted. A full disk does not end the run; `raise_write_error` raises
    afterwards. The constructor raises UsageError when the file cannot be written at all.
    """

    def __init__(self, file: Path | None, problem: Problem, settings: Settings) -> None:
        self._file = Path(os.devnull) if file is None else file
        self._descriptor = -1
        self._error: OSError | None = None
        self._result: Result | None = None
        self._texts: dict[tuple[int, Channel], list[str]] = {}
        self._separator = ""
        self._start = time.monotonic()
        if file is not None:
            self._file = _target(file)
            self._draft = draft_path(self._file)
            self._descriptor = _create(self._draft)
            self._write(_head(problem, settings))

    def add_event(self, event: Event) -> None:
        """Record an event. The text events of a trajectory are joined and recorded as one when its
        next event of another kind arrives."""
        if self._descriptor < 0:
            return
        if isinstance(event, TextEvent):
            self._texts.setdefault((event.path, event.channel), []).append(event.text)
            return
        if isinstance(event, ResultEvent):
            self._result = event.result
            return
        self._write_texts(getattr(event, "path", None))
        self._write_event(event)

    def finish(self, outcome: str) -> None:
        """Complete the file and move it into place. Further calls do nothing; a signal handler may
        call this."""
        if self._descriptor < 0:
            return
        for number, _ in list(self._texts):
            self._write_texts(number)
        result = "null" if self._result is None else self._result.model_dump_json()
        self._write(f'\n],\n"ended":{json.dumps(outcome)},\n"result":{result}}}\n')
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
        try:
            if self._error is None:
                replace_file(self._draft, self._file)
            else:
                self._draft.unlink()
        except OSError as error:
            self._error = error

    def raise_write_error(self) -> None:
        """Raise ReasonerError when the trace could not be written."""
        if self._error is not None:
            raise ReasonerError(f"the trace {self._file} was not kept: {self._error.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        was_stopped = self._result is not None and self._result.finish_reason == "interrupted"
        if was_stopped or isinstance(error, Interrupted | KeyboardInterrupt):
            self.finish("interrupted")
        else:
            self.finish("answered" if error is None else f"failed: {error}")

    def _write_texts(self, number: int | None) -> None:
        """Write the joined texts of a trajectory."""
        for key in [key for key in self._texts if key[0] == number]:
            text = "".join(self._texts.pop(key))
            self._write_event(TextEvent(path=key[0], channel=key[1], text=text))

    def _write_event(self, event: Event) -> None:
        at = round(time.monotonic() - self._start, 3)
        line = TimedEvent.model_construct(at=at, event=event).model_dump_json()
        self._write(f"{self._separator}\n{line}")
        self._separator = ","

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")  # a file's name may have bytes that are not text
        try:
            while data and self._error is None:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self._error = error


def _target(file: Path) -> Path:
    """The resolved path of the trace. Raises UsageError when something other than a file is
    there."""
    target = file.resolve()
    if target.exists() and not target.is_file():
        raise UsageError(f"{file} is not a file that a trace could go to; name another one")
    return target


def _create(draft: Path) -> int:
    try:
        return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write into {draft.parent}: {error.strerror}") from error


def _head(problem: Problem, settings: Settings) -> str:
    """The start of the file, up to the events."""
    fields = {
        "format": TRACE_FORMAT,
        "version": TRACE_VERSION,
        "reasoner": version("reasoner"),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "problem": problem.model_dump(mode="json"),
        "settings": settings.model_dump(mode="json"),
    }
    return json.dumps(fields, ensure_ascii=False)[:-1] + ', "events":['
