"""Ctrl-C, SIGTERM and SIGHUP while an answer is generated: the first is a soft stop, the second
ends the program."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from reasoner.cli.ending_signal import ENDING_SIGNALS, interrupted_code, record_signal
from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import Interrupted

if TYPE_CHECKING:
    from reasoner.models.progress import DownloadObserver

__all__ = ["Interrupt", "Stoppable"]


class Interrupt:
    """A context in which an ending signal sets `stop` instead of ending the program.

    Until `soft` is called there are no results to keep, so the first signal ends the program: a
    model that is fetched or loaded is no loss, and a thread inside native code cannot be stopped.
    `on_leave` is called before the program ends that way. With `stays`, no SIGINT after `soft`
    ends the program. A signal that is ignored, as SIGHUP is after nohup, stays ignored.
    """

    def __init__(self, on_leave: Callable[[], None] = lambda: None, *, stays: bool = False) -> None:
        self._on_leave, self._stays = on_leave, stays
        self.stop = asyncio.Event()
        self.number: int | None = None
        """The last signal that came after `soft`."""
        self._loop = asyncio.get_running_loop()
        self._soft = False
        self._previous: dict[int, Any] = {}

    def soft(self) -> None:
        """From now on the first signal sets `stop` and does not end the program."""
        self._soft = True

    @property
    def happened(self) -> bool:
        """Whether a signal came after `soft`."""
        return self.number is not None

    def __enter__(self) -> Self:
        for number in ENDING_SIGNALS:
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        record_signal(number)
        stays = self._stays and number == signal.SIGINT
        if not self._soft or (self.happened and not stays):
            self._on_leave()
            _leave()
        self.number = number
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
    os._exit(interrupted_code())
