"""How far a run has come, on one line of a terminal; in a log, a line now and then."""

import time
from typing import TextIO

from reasoner.cli.output.terminal import is_terminal

__all__ = ["Count"]

OFTEN, SELDOM = 0.2, 15.0
"""Seconds between two lines at a terminal and in a log."""


class Count:
    """Shows lines that replace each other."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._terminal = stream, is_terminal(stream)
        self._said = time.monotonic()
        self._line = ""

    def show(self, line: str) -> None:
        self._line = line
        now = time.monotonic()
        if now - self._said >= (OFTEN if self._terminal else SELDOM):
            self._said = now
            self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
            self._stream.flush()

    def end(self) -> None:
        """Take the line away, so that what follows stands alone."""
        if self._terminal and self._line:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
