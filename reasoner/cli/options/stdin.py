"""The text on stdin: waiting for a pipe that is slow to deliver, and reading up to its end."""

import os
import select
import stat
import sys
import time
from typing import Protocol

from reasoner.errors import UsageError

__all__ = ["MAX_SOURCE_BYTES", "WaitDisplay", "read_bounded", "read_stdin_bytes", "stdin_delivers"]

MAX_SOURCE_BYTES = 64 * 2**20
"""Bytes read from one source; far more than any context holds, far less than memory holds."""
CHUNK_BYTES = 2**16
SILENT_SECONDS = 0.3
"""A wait that is shorter is not shown."""
REFRESH_SECONDS = 0.2


class WaitDisplay(Protocol):
    """Shows a line about a wait, which replaces the one before, and removes it at the `end`."""

    def show(self, text: str) -> None: ...

    def end(self) -> None: ...


def stdin_delivers(seconds: float, display: WaitDisplay | None = None) -> bool | None:
    """Whether stdin has data or is at its end, waiting at most `seconds` for a pipe.

    None where stdin is a device, such as /dev/null, or closed: it is not meant to be read.
    """
    try:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return True
        return None if stat.S_ISCHR(mode) else _wait(descriptor, seconds, display)
    except (AttributeError, OSError, ValueError):
        return None


def read_stdin_bytes(display: WaitDisplay | None = None) -> bytes:
    """Return the bytes of stdin up to its end, none when it is closed.

    Raises UsageError when there are more than MAX_SOURCE_BYTES.
    """
    try:
        return read_bounded(sys.stdin.fileno(), "stdin", display)
    except (AttributeError, OSError, ValueError):  # stdin is closed
        return b""


def read_bounded(descriptor: int, source: str, display: WaitDisplay | None = None) -> bytes:
    """Return the bytes of a descriptor up to its end; `display` shows a wait for them.

    Raises UsageError, which names `source`, when there are more than MAX_SOURCE_BYTES.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        if display is not None:
            _wait(descriptor, None, display, f"{size / 1000:.0f} kB so far" if size else "")
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_SOURCE_BYTES:
            raise UsageError(
                f"{source} is larger than {MAX_SOURCE_BYTES // 2**20} MB; shorten the question"
            )


def _wait(
    descriptor: int, seconds: float | None, display: WaitDisplay | None, note: str = ""
) -> bool:
    """Wait until the descriptor can be read, at most `seconds`; return whether it can."""
    start = time.monotonic()
    try:
        while True:
            waited = time.monotonic() - start
            pause = SILENT_SECONDS if waited < SILENT_SECONDS else REFRESH_SECONDS
            if seconds is not None:
                pause = max(0.0, min(pause, seconds - waited))
            if select.select([descriptor], [], [], pause)[0]:
                return True
            waited = time.monotonic() - start
            if seconds is not None and waited >= seconds:
                return False
            if display is not None:
                display.show(_waiting(waited, seconds, note))
    finally:
        if display is not None:
            display.end()


def _waiting(waited: float, seconds: float | None, note: str) -> str:
    """`waiting for stdin · 3 of 10 s · < /dev/null skips this`."""
    if seconds is None:
        return " · ".join(part for part in ("waiting for stdin", f"{waited:.0f} s", note) if part)
    return f"waiting for stdin · {waited:.0f} of {seconds:.0f} s · < /dev/null skips this"
