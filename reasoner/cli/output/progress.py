"""A download, drawn: a bar at a terminal, two lines in a log."""

import os
import time
from typing import TYPE_CHECKING, TextIO

from reasoner.cli.output.terminal import colourful, is_terminal, one_line

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from reasoner.models.progress import Progress

__all__ = ["Bar", "Lines", "draw_progress"]

MEGABYTE = 10**6


def draw_progress(stream: TextIO, *, quiet: bool = False, no_color: bool = False) -> "Progress":
    """The watcher that suits the stream."""
    if quiet:
        from reasoner.models.progress import Silent

        return Silent()
    if is_terminal(stream) and os.environ.get("TERM") != "dumb":
        return Bar(stream, colour=colourful(stream, no_color=no_color))
    return Lines(stream)


class Lines:
    """One line when a download starts and one when it is over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._label, self._done, self._started = "", 0, 0.0

    def begin(self, label: str, total: int | None, done: int) -> None:
        self._label, self._done, self._started = one_line(label), done, time.monotonic()
        size = f" ({total / MEGABYTE:.0f} MB)" if total else ""
        resumed = f", {done / MEGABYTE:.0f} MB of it are here" if done else ""
        self._say(f"fetching {self._label}{size}{resumed}")

    def advance(self, size: int) -> None:
        self._done += size

    def end(self) -> None:
        seconds = time.monotonic() - self._started
        self._say(f"{self._label}: {self._done / MEGABYTE:.0f} MB after {seconds:.0f} s")

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class Bar:
    """A bar with size, speed and time left; gone when the download is over."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream, self._colour = stream, colour
        self._bar: RichProgress | None = None

    def begin(self, label: str, total: int | None, done: int) -> None:
        self._bar = self._open()
        self._bar.start()
        self._bar.add_task(one_line(label), total=total, completed=done)

    def advance(self, size: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], size)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self) -> "RichProgress":
        from rich import progress
        from rich.console import Console

        console = Console(file=self._stream, color_system="auto" if self._colour else None)
        return progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=None),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
        )
