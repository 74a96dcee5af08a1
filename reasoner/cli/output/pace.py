"""How far a long run has come, and when it will be done: on one line at a terminal, in a log a
line now and then."""

import time
from typing import TextIO

from reasoner.cli.output.terminal import is_terminal

__all__ = ["Pace"]

EVERY = 15.0
"""Seconds between two lines in a log."""


class Pace:
    """Counts problems towards `total` and, where a ceiling is set, tokens towards `tokens`."""

    def __init__(self, stream: TextIO, total: int, tokens: int | None) -> None:
        self._stream, self._total, self._ceiling = stream, total, tokens
        self._terminal = is_terminal(stream)
        self._begun = time.monotonic()
        self._said = float("-inf")
        self._first: tuple[int, int] | None = None
        self._line = ""

    def show(self, problems: int, solutions: int, tokens: int) -> None:
        """Say where the run stands; the first call says where it begins."""
        self._first = self._first or (problems, tokens)
        rate = (tokens - self._first[1]) / max(1e-9, time.monotonic() - self._begun)
        self._line = (
            f"{problems} of {self._total} problems · {solutions} solutions · {tokens:,} tokens"
            + (f" · {rate:.0f} tokens/s" if rate else "")
            + self._left(problems, tokens)
        )
        now = time.monotonic()
        if self._terminal:
            self._stream.write(f"\r\x1b[K{self._line}")
            self._stream.flush()
        elif now - self._said >= EVERY:
            self._say(now)

    def end(self) -> None:
        """Leave the last line standing."""
        if self._terminal:
            self._stream.write("\n")
            self._stream.flush()
        else:
            self._say(time.monotonic())

    def _say(self, now: float) -> None:
        self._said = now
        self._stream.write(f"{self._line}\n")
        self._stream.flush()

    def _left(self, problems: int, tokens: int) -> str:
        assert self._first is not None
        share = [_share(self._first[0], problems, self._total)]
        if self._ceiling is not None:
            share.append(_share(self._first[1], tokens, self._ceiling))
        most = max(share)
        if not 0 < most < 1:
            return ""
        seconds = (time.monotonic() - self._begun) * (1 - most) / most
        return f" · {seconds / 60:.0f} min left"


def _share(first: int, now: int, last: int) -> float:
    """How much of the way from where this run began is behind it."""
    return min(1.0, (now - first) / (last - first)) if last > first else 1.0
