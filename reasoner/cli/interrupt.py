"""Ctrl-C while an answer is generated: the first is a soft stop, the second ends the program."""

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

    Until `soft` is called there are no results to keep, so the first SIGINT ends the program: a
    model that is fetched or loaded is no loss, and a thread inside native code cannot be stopped.
    `on_leave` is called before the program ends that way. With `stays`, no SIGINT after `soft`
    ends the program.
    """

    def __init__(self, on_leave: Callable[[], None] = lambda: None, *, stays: bool = False) -> None:
        self._on_leave, self._stays = on_leave, stays
        self.stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._soft = self._happened = False
        self._previous: Any = None

    def soft(self) -> None:
        """From now on the first SIGINT sets `stop` and does not end the program."""
        self._soft = True

    @property
    def happened(self) -> bool:
        """Whether a SIGINT came after `soft`."""
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
    """Passes a download's progress on to `watcher`, and ends the download after Ctrl-C."""

    def __init__(self, watcher: "DownloadObserver", interrupt: Interrupt) -> None:
        self._watcher, self._interrupt = watcher, interrupt

    def begin(self, label: str, total: int | None, done: int) -> None:
        self._watcher.begin(label, total, done)

    def advance(self, size: int) -> None:
        """Pass on that `size` more bytes are here. Raises Interrupted after Ctrl-C."""
        if self._interrupt.happened:
            raise Interrupted("stopped; the download goes on from here the next time")
        self._watcher.advance(size)

    def end(self) -> None:
        self._watcher.end()


def _leave() -> None:
    """Exit at once, with the terminal restored."""
    if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        os.write(sys.stderr.fileno(), b"\x1b[0m\x1b[?25h\n")
    os._exit(Interrupted.exit_code)
