"""Writes a run down while it goes on: one JSON file that is there only when it is whole."""

import json
import os
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from reasoner.errors import Interrupted, ReasonerError, UsageError
from reasoner.events import Channel, Event, ResultEvent, TextEvent
from reasoner.problem import Problem
from reasoner.result import Result
from reasoner.settings import Settings
from reasoner.trace.trace import FORMAT, VERSION, Moment

__all__ = ["Tracer"]


class Tracer:
    """Records a run's events in `file`; with None, nothing.

    The file grows under another name and is moved to its place in the end, whether the run
    succeeded, failed or was interrupted. A disk that fills up does not end the run: `check` tells.
    Raises UsageError when the file cannot be written at all.
    """

    def __init__(self, file: Path | None, problem: Problem, settings: Settings) -> None:
        self._file = Path(os.devnull) if file is None else file
        self._descriptor = -1
        self._error: OSError | None = None
        self._result: Result | None = None
        self._texts: dict[tuple[int, Channel], list[str]] = {}
        self._between = ""
        self._began = time.monotonic()
        if file is not None:
            self._file, self._part = _places(file)
            self._descriptor = _create(self._part)
            self._write(_head(problem, settings))

    def record(self, event: Event) -> None:
        """Note an event. Pieces of a text are noted as one, when their line goes on to something
        else."""
        if self._descriptor < 0:
            return
        if isinstance(event, TextEvent):
            self._texts.setdefault((event.path, event.channel), []).append(event.text)
            return
        if isinstance(event, ResultEvent):
            self._result = event.result
            return
        self._complete(getattr(event, "path", None))
        self._note(event)

    def finish(self, ended: str) -> None:
        """Complete the file and put it where it belongs, once; also out of a signal handler."""
        if self._descriptor < 0:
            return
        for path, _ in list(self._texts):
            self._complete(path)
        result = "null" if self._result is None else self._result.model_dump_json()
        self._write(f'\n],\n"ended":{json.dumps(ended)},\n"result":{result}}}\n')
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
        try:
            if self._error is None:
                self._part.replace(self._file)
            else:
                self._part.unlink()
        except OSError as error:
            self._error = error

    def check(self) -> None:
        """Raises ReasonerError when the trace could not be kept."""
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
        stopped = self._result is not None and self._result.finish_reason == "interrupted"
        if stopped or isinstance(error, Interrupted | KeyboardInterrupt):
            self.finish("interrupted")
        else:
            self.finish("answered" if error is None else f"failed: {error}")

    def _complete(self, path: int | None) -> None:
        """Note the texts of a line."""
        for key in [key for key in self._texts if key[0] == path]:
            text = "".join(self._texts.pop(key))
            self._note(TextEvent(path=key[0], channel=key[1], text=text))

    def _note(self, event: Event) -> None:
        at = round(time.monotonic() - self._began, 3)
        line = Moment.model_construct(at=at, event=event).model_dump_json()
        self._write(f"{self._between}\n{line}")
        self._between = ","

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")  # a file's name may hold what is no text
        try:
            while data and self._error is None:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self._error = error


def _places(file: Path) -> tuple[Path, Path]:
    """Where the trace goes, and where it grows. Raises UsageError for what is no plain file."""
    target = file.resolve()
    if target.exists() and not target.is_file():
        raise UsageError(f"{file} is not a file that a trace could go to; name another one")
    return target, target.with_name(f".{target.name}.{os.getpid()}.part")


def _create(part: Path) -> int:
    try:
        return os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write into {part.parent}: {error.strerror}") from error


def _head(problem: Problem, settings: Settings) -> str:
    """The beginning of the file, up to the events."""
    known = {
        "format": FORMAT,
        "version": VERSION,
        "reasoner": version("reasoner"),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "problem": problem.model_dump(mode="json"),
        "settings": settings.model_dump(mode="json"),
    }
    return json.dumps(known, ensure_ascii=False)[:-1] + ', "events":['
