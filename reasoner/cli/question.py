"""The question: argument, files and stdin put together, in that order.

Parts are separated by a blank line. stdin is part of the question when it is a file or a pipe
that delivers; a pipe that somebody left open and never writes to must not hold the program up.
"""

import os
import select
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import UsageError

__all__ = ["EXAMPLE", "LARGEST", "PATIENCE", "collect", "decode", "read_file", "read_stdin"]

EXAMPLE = 'reasoner ask "What is 12 * 13?"'
LARGEST = 64 * 2**20
"""Bytes read from one source; far above any context, far below what memory can bear."""
PATIENCE = 2.0
"""Seconds a pipe is waited for when there is a question without it."""
CHUNK = 2**16


def collect(argument: str | None, files: Sequence[str], notices: list[str]) -> str:
    """The whole question. Says in `notices` what was left out. Raises UsageError."""
    parts = [_argument(argument)] if argument else []
    parts += [read_stdin() if name == "-" else read_file(Path(name)) for name in files]
    implied = "-" not in files and not is_terminal(sys.stdin)
    alone = argument is None and not files
    if implied and (alone or _delivers(notices)):
        parts.append(read_stdin())
    question = "\n\n".join(part.strip("\r\n") for part in parts if part.strip())
    if not question:
        raise UsageError(f"no question was given; try: {EXAMPLE}")
    return question


def _argument(text: str) -> str:
    # Bytes of argv that are no UTF-8 arrive as lone surrogates.
    return decode(text.encode(errors="surrogateescape"), "the question")


def read_file(path: Path) -> str:
    """The text of a file. Raises UsageError."""
    try:
        with path.open("rb") as stream:
            return decode(_bounded(stream.fileno(), str(path)), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_stdin() -> str:
    """The text of stdin, until it ends; empty when it is closed. Raises UsageError."""
    try:
        return decode(_bounded(sys.stdin.fileno(), "stdin"), "stdin")
    except (AttributeError, OSError, ValueError):  # stdin is closed
        return ""


def _bounded(descriptor: int, source: str) -> bytes:
    chunks, size = [], 0
    while chunk := os.read(descriptor, CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            raise UsageError(f"{source} is larger than {LARGEST // 2**20} MB; shorten the question")
    return b"".join(chunks)


def decode(data: bytes, source: str) -> str:
    """The bytes as text. Raises UsageError when they are none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{source} is not UTF-8 text (byte {error.start}); give text, or convert it first"
        ) from error
    if "\0" in text:
        raise UsageError(f"{source} is binary, not text; give text")
    return text


def _delivers(notices: list[str]) -> bool:
    """Whether reading stdin will not wait for a writer that never comes."""
    try:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return True
        if stat.S_ISCHR(mode):  # /dev/null and its like
            return False
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
    except (AttributeError, OSError, ValueError):
        return False
    if not ready:
        notices.append(
            f"stdin stayed open and empty for {PATIENCE:.0f} s and is left out; "
            "-f - waits for it, < /dev/null skips the wait"
        )
    return bool(ready)
