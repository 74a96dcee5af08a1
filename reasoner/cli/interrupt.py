"""Ctrl-C while an answer is being written: the first asks for what there is, the second ends it."""

import asyncio
import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Self

from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import Interrupted

__all__ = ["Interrupt"]


class Interrupt:
    """A context in which SIGINT sets `stop` instead of raising KeyboardInterrupt.

    Until `soft` is called there is nothing to keep, so the first SIGINT already ends the program:
    a model being fetched or loaded is no state anybody could lose, and a thread that is inside
    native code could not be told.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._soft = self._happened = False
        self._previous: Any = None

    def soft(self) -> None:
        self._soft = True

    @property
    def happened(self) -> bool:
        return self._happened

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._soft or self._happened:
            _leave()
        self._happened = True
        self._loop.call_soon_threadsafe(self.stop.set)


def _leave() -> None:
    """End at once, leaving the terminal as it was found."""
    if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        os.write(sys.stderr.fileno(), b"\x1b[0m\x1b[?25h\n")
    os._exit(Interrupted.exit_code)
