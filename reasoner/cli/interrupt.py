"""Ctrl-C while an answer is being written: the first asks for what there is, the second ends it."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import Interrupted

if TYPE_CHECKING:
    from reasoner.models.progress import DownloadObserver

__all__ = ["Interrupt", "Stoppable"]


class Interrupt:
    """A context in which SIGINT sets `stop` instead of raising KeyboardInterrupt.

    Until `soft` is called there is nothing to keep, so the first SIGINT already ends the program:
    a model being fetched or loaded is no state anybody could lose, and a thread that is inside
    native code could not be told. `on_leave` is called before the program is ended so. With
    `stays` a soft one never ends the program, however often it comes.
    """

    def __init__(self, on_leave: Callable[[], None] = lambda: None, *, stays: bool = False) -> None:
        self._on_leave, self._stays = on_leave, stays
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
        if not self._soft or (self._happened and not self._stays):
            self._on_leave()
            _leave()
        self._happened = True
        self._loop.call_soon_threadsafe(self.stop.set)


class Stoppable:
    """Passes a download's progress on to `watcher`; after Ctrl-C it ends the download."""

    def __init__(self, watcher: "DownloadObserver", interrupt: Interrupt) -> None:
        self._watcher, self._interrupt = watcher, interrupt

    def begin(self, label: str, total: int | None, done: int) -> None:
        self._watcher.begin(label, total, done)

    def advance(self, size: int) -> None:
        """Report progress. Raises Interrupted after a Ctrl-C, which stops the download."""
        if self._interrupt.happened:
            raise Interrupted("stopped; the download goes on from here the next time")
        self._watcher.advance(size)

    def end(self) -> None:
        self._watcher.end()


def _leave() -> None:
    """End at once, leaving the terminal as it was found."""
    if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        os.write(sys.stderr.fileno(), b"\x1b[0m\x1b[?25h\n")
    os._exit(Interrupted.exit_code)
