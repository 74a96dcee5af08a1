"""How far a long task has come: one status line at a terminal, plain lines now and then in a log.

Downloads, batches, rollouts, data and training all show their progress through StatusLine.
"""

import time
from typing import TYPE_CHECKING, TextIO

from reasoner.cli.output.canvas import Canvas
from reasoner.cli.output.segments import PLAIN
from reasoner.cli.output.terminal import columns, one_line, rewritable, wrapped
from reasoner.models.progress import SilentObserver

if TYPE_CHECKING:
    from reasoner.batch.tally import BatchTotals
    from reasoner.models.progress import DownloadObserver

__all__ = [
    "BatchProgress",
    "DownloadProgress",
    "RolloutProgress",
    "StatusLine",
    "batch_summary",
    "draw_progress",
    "format_duration",
]

MEGABYTE = 10**6
REDRAW_SECONDS = 0.2
LOG_SECONDS = 15.0
BATCH_LOG_SECONDS = 60.0
STATUS_NAMES = {"no_answer": "without an answer", "error": "not answerable"}


class StatusLine:
    """A line about a task that goes on, replaced by the next one.

    At a terminal the line is rewritten in place, at most every REDRAW_SECONDS, cut to the width of
    the window. Elsewhere, and with TERM=dumb, it is a plain line every `log_seconds` without
    control sequences. It has no colours. With `quiet` nothing is written.
    """

    def __init__(
        self, stream: TextIO, *, quiet: bool = False, log_seconds: float = LOG_SECONDS
    ) -> None:
        self.quiet = quiet
        self._stream = stream
        self._canvas = Canvas(stream, colour=False) if rewritable(stream) else None
        self._interval = log_seconds if self._canvas is None else REDRAW_SECONDS
        self._written_at = time.monotonic()
        self._text = ""

    @property
    def due(self) -> bool:
        """Whether enough time has passed for `show` to write another line."""
        return time.monotonic() - self._written_at >= self._interval

    def show(self, text: str, *, now: bool = False) -> None:
        """Replace the line by `text`; it is written when it is due, or `now`."""
        self._text = one_line(text)
        if now or self.due:
            self._draw()

    def print(self, text: str) -> None:
        """Write a line that stays; the status line goes on below it."""
        if not self.quiet:
            self.end()
            self._write_line(wrapped(one_line(text), columns(self._stream)))

    def end(self) -> None:
        """Remove the line from a terminal, so that what follows stands alone."""
        if self._canvas is not None and self._canvas.drawn:
            self._canvas.erase()

    def keep(self) -> None:
        """Write the line as it was shown last and let it stay."""
        self._draw()
        if self._canvas is not None:
            self._canvas.keep()

    def _draw(self) -> None:
        if self.quiet:
            return
        self._written_at = time.monotonic()
        if self._canvas is None:
            self._write_line(self._text)
        else:
            self._canvas.draw([[(self._text, PLAIN)]])

    def _write_line(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def draw_progress(stream: TextIO, *, quiet: bool = False) -> "DownloadObserver":
    """An object that shows downloads on the stream; with `quiet`, one that shows nothing."""
    return SilentObserver() if quiet else DownloadProgress(stream)


class DownloadProgress:
    """Shows downloads: a status line while one goes on; in a log also its beginning and end."""

    def __init__(self, stream: TextIO) -> None:
        self._log = not rewritable(stream)
        self._status = StatusLine(stream)
        self._label = ""
        self._total: int | None = None
        self._done = self._resumed = 0
        self._started_at = 0.0

    def begin(self, label: str, total: int | None, done: int) -> None:
        self._label, self._total = one_line(label), total
        self._done = self._resumed = done
        self._started_at = time.monotonic()
        size = f" ({total / MEGABYTE:.0f} MB)" if total else ""
        resumed = f", {done / MEGABYTE:.0f} MB of it are here" if done else ""
        line = f"fetching {self._label}{size}{resumed}"
        self._status.show(line, now=True)

    def advance(self, size: int) -> None:
        self._done += size
        if self._status.due:
            self._status.show(self._state())

    def end(self) -> None:
        self._status.end()
        if self._log:
            seconds = time.monotonic() - self._started_at
            self._status.print(
                f"{self._label}: {self._done / MEGABYTE:.0f} MB after {seconds:.0f} s"
            )

    def _state(self) -> str:
        """`m.gguf · 512 of 1064 MB, 48% · 12.3 MB/s · 45 s left`."""
        done = self._done / MEGABYTE
        seconds = max(1e-9, time.monotonic() - self._started_at)
        rate = max(0, self._done - self._resumed) / seconds
        speed = f"{rate / MEGABYTE:.1f} MB/s"
        if not self._total:
            return f"{self._label} · {done:.0f} MB · {speed}"
        share = f"{done:.0f} of {self._total / MEGABYTE:.0f} MB, {self._done / self._total:.0%}"
        parts = [self._label, share, speed]
        if rate:
            parts.append(f"{format_duration((self._total - self._done) / rate)} left")
        return " · ".join(parts)


class BatchProgress:
    """Shows how far a batch has come. `total` is the input's size in bytes, None if unknown."""

    def __init__(self, stream: TextIO, total: int | None, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._status = StatusLine(stream, quiet=quiet, log_seconds=BATCH_LOG_SECONDS)
        self._total = total
        self._started_at = time.monotonic()
        self._skipped_bytes = self._done_bytes = self._done_items = 0

    def skip(self, size: int) -> None:
        """Count an item of so many bytes that an earlier run has answered."""
        self._skipped_bytes += size

    def advance(self, size: int, tally: "BatchTotals") -> None:
        """Count an item of so many bytes that was answered now."""
        self._done_bytes, self._done_items = self._done_bytes + size, self._done_items + 1
        if self._status.due:
            self._status.show(" · ".join([*self._pace(), *_status_counts(tally)]))

    def say(self, text: str) -> None:
        """Write a notice on a line of its own."""
        self._status.print(text)

    def clear(self) -> None:
        """Remove the status line."""
        self._status.end()

    def _pace(self) -> list[str]:
        """`37 done, 58%`, `4.2 a minute`, `6 min left`."""
        seconds = time.monotonic() - self._started_at
        rate = f"{60 * self._done_items / max(seconds, 0.01):.1f} a minute"
        if not self._total:
            return [f"{self._done_items} done", rate]
        read_bytes = self._skipped_bytes + self._done_bytes
        share = min(1.0, read_bytes / self._total)
        remaining_bytes = max(0, self._total - read_bytes)
        remaining = format_duration(seconds * remaining_bytes / max(1, self._done_bytes))
        return [f"{self._done_items} done, {share:.0%}", rate, f"{remaining} left"]


def batch_summary(tally: "BatchTotals", before: int, seconds: float, *, scored: bool) -> str:
    """`64 items (12 from before): 40 verified, 24 refuted · 21,034 tokens · 12 min`."""
    items = f"{tally.total} item{'s' if tally.total > 1 else ''}"
    earlier = f" ({before} from before)" if before else ""
    parts = [f"{items}{earlier}: {', '.join(_status_counts(tally))}"]
    parts += [tally.summary] if scored else []
    return " · ".join([*parts, f"{tally.tokens:,} tokens", format_duration(seconds)])


def _status_counts(tally: "BatchTotals") -> list[str]:
    counts = tally.counts.most_common()
    return [f"{count} {STATUS_NAMES.get(name, name)}" for name, count in counts]


class RolloutProgress:
    """Shows how many of `total` problems are done. `tokens` is the limit of tokens, if any."""

    def __init__(self, stream: TextIO, total: int, tokens: int | None) -> None:
        self._status = StatusLine(stream)
        self._total, self._token_limit = total, tokens
        self._started_at = time.monotonic()
        self._first: tuple[int, int] | None = None

    def show(self, problems: int, solutions: int, tokens: int) -> None:
        """Show where the run stands; the first call says where it begins."""
        begins = self._first is None
        self._first = self._first or (problems, tokens)
        rate = (tokens - self._first[1]) / max(1e-9, time.monotonic() - self._started_at)
        counts = f"{problems} of {self._total} problems · {solutions} solutions · {tokens:,} tokens"
        speed = f" · {rate:.0f} tokens/s" if rate else ""
        self._status.show(counts + speed + self._remaining(problems, tokens), now=begins)

    def end(self) -> None:
        """Let the last line stay."""
        self._status.keep()

    def _remaining(self, problems: int, tokens: int) -> str:
        """` · 6 min left`, by whichever of problems and tokens is nearer to its end."""
        assert self._first is not None
        share = _share(self._first[0], problems, self._total)
        if self._token_limit is not None:
            share = max(share, _share(self._first[1], tokens, self._token_limit))
        if not 0 < share < 1:
            return ""
        seconds = (time.monotonic() - self._started_at) * (1 - share) / share
        return f" · {seconds / 60:.0f} min left"


def _share(first: int, now: int, last: int) -> float:
    """The share of the way from `first` to `last` that is done."""
    return min(1.0, (now - first) / (last - first)) if last > first else 1.0


def format_duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
