"""How far a batch has come: a line rewritten at a terminal, one now and then in a log."""

import os
import time
from typing import TYPE_CHECKING, TextIO

from reasoner.cli.output.terminal import is_terminal, one_line

if TYPE_CHECKING:
    from reasoner.batch.tally import Tally

__all__ = ["Meter", "summary"]

REDRAW, RELOG = 0.2, 60.0
"""Seconds between two lines at a terminal and in a log."""
NAMES = {"no_answer": "without an answer", "error": "not answerable"}


class Meter:
    """Writes to `stream`. `total` is the input's size in bytes, None where it cannot be known."""

    def __init__(self, stream: TextIO, total: int | None, *, quiet: bool = False) -> None:
        self._stream, self._total, self.quiet = stream, total, quiet
        self._rewrites = is_terminal(stream) and os.environ.get("TERM") != "dumb"
        self._begun = self._shown = time.monotonic()
        self._skipped = self._size = self._count = 0
        self._drawn = False

    def skip(self, size: int) -> None:
        """An item of so many bytes was done before."""
        self._skipped += size

    def advance(self, size: int, tally: "Tally") -> None:
        """An item of so many bytes is done."""
        self._size, self._count = self._size + size, self._count + 1
        if time.monotonic() - self._shown >= (REDRAW if self._rewrites else RELOG):
            self._shown = time.monotonic()
            self._draw(tally)

    def say(self, text: str) -> None:
        """A notice on a line of its own."""
        if not self.quiet:
            self.clear()
            self._stream.write(one_line(text) + "\n")
            self._stream.flush()

    def clear(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._drawn = False

    def _draw(self, tally: "Tally") -> None:
        line = " · ".join([*self._pace(), *_counts(tally)])
        if self.quiet:
            return
        if not self._rewrites:
            self.say(line)
            return
        width = os.get_terminal_size(self._stream.fileno()).columns or 80
        self._stream.write(f"\r\x1b[K{line[: width - 1]}")
        self._stream.flush()
        self._drawn = True

    def _pace(self) -> list[str]:
        """`37 done, 58 %`, `4.2 a minute`, `6 min left`."""
        seconds = time.monotonic() - self._begun
        rate = f"{60 * self._count / max(seconds, 0.01):.1f} a minute"
        if not self._total:
            return [f"{self._count} done", rate]
        share = min(1.0, (self._skipped + self._size) / self._total)
        left = max(0, self._total - self._skipped - self._size)
        remaining = _duration(seconds * left / max(1, self._size))
        return [f"{self._count} done, {share:.0%}", rate, f"{remaining} left"]


def summary(tally: "Tally", before: int, seconds: float, *, scored: bool) -> str:
    """`64 items (12 from before): 40 verified, 24 refuted · 21,034 tokens · 12 min`."""
    items = f"{tally.total} item{'s' if tally.total > 1 else ''}"
    earlier = f" ({before} from before)" if before else ""
    parts = [f"{items}{earlier}: {', '.join(_counts(tally))}"]
    parts += [tally.score] if scored else []
    return " · ".join([*parts, f"{tally.tokens:,} tokens", _duration(seconds)])


def _counts(tally: "Tally") -> list[str]:
    return [f"{count} {NAMES.get(name, name)}" for name, count in tally.counts.most_common()]


def _duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
