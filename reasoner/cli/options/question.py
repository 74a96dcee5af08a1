"""The question, put together from the argument, the files and stdin, in that order.

Parts are separated by a blank line. stdin is a part when it is a file, or a pipe that has data or
is closed; a pipe that stays open and empty must not block the program.
"""

import os
import select
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from reasoner.cli.options.media import media_kind
from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import UsageError

__all__ = [
    "EXAMPLE",
    "MAX_SOURCE_BYTES",
    "STDIN_WAIT_SECONDS",
    "collect_question",
    "decode_text",
    "read_stdin",
    "read_text_file",
]

EXAMPLE = 'reasoner ask "What is 12 * 13?"'
MAX_SOURCE_BYTES = 64 * 2**20
"""Bytes read from one source; far more than any context holds, far less than memory holds."""
STDIN_WAIT_SECONDS = 2.0
"""How long to wait for data from a pipe when there is a question without it."""
CHUNK_BYTES = 2**16


def collect_question(argument: str | None, files: Sequence[str], notices: list[str]) -> str:
    """Return the whole question; a line for each part that was left out is added to `notices`.

    Raises UsageError when there is no question, or a part cannot be read as text.
    """
    parts = [_argument(argument)] if argument else []
    parts += [read_stdin() if name == "-" else read_text_file(Path(name)) for name in files]
    stdin_is_implied = "-" not in files and not is_terminal(sys.stdin)
    stdin_is_all = argument is None and not files
    if stdin_is_implied and (stdin_is_all or _stdin_is_ready(notices)):
        parts.append(read_stdin())
    question = "\n\n".join(part.strip("\r\n") for part in parts if part.strip())
    if not question:
        raise UsageError(f"no question was given; try: {EXAMPLE}")
    return question


def _argument(text: str) -> str:
    # Bytes of the command line that are no UTF-8 arrive as lone surrogates.
    return decode_text(text.encode(errors="surrogateescape"), "the question")


def read_text_file(path: Path) -> str:
    """Return the text of a file. Raises UsageError for one that cannot be read, or is no text."""
    try:
        with path.open("rb") as stream:
            return decode_text(_read_bounded(stream.fileno(), str(path)), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_stdin() -> str:
    """Return the text of stdin up to its end, empty when it is closed.

    Raises UsageError when it is too large or no text.
    """
    try:
        return decode_text(_read_bounded(sys.stdin.fileno(), "stdin"), "stdin")
    except (AttributeError, OSError, ValueError):  # stdin is closed
        return ""


def _read_bounded(descriptor: int, source: str) -> bytes:
    chunks, size = [], 0
    while chunk := os.read(descriptor, CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_SOURCE_BYTES:
            raise UsageError(
                f"{source} is larger than {MAX_SOURCE_BYTES // 2**20} MB; shorten the question"
            )
    return b"".join(chunks)


def decode_text(data: bytes, source: str) -> str:
    """Return the bytes as text. Raises UsageError, which names `source`, when they are no UTF-8."""
    try:
        text = data.decode("utf-8-sig")
        if "\0" not in text:
            return text
        reason = "is binary, not text; give text"
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (byte {error.start}); give text, or convert it first"
    if kind := media_kind(data):
        reason = f"is {kind}, and this program reads text only; describe it in words"
    raise UsageError(f"{source} {reason}")


def _stdin_is_ready(notices: list[str]) -> bool:
    """Return whether reading stdin will not block on a pipe that stays open and empty."""
    try:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return True
        if stat.S_ISCHR(mode):  # /dev/null and its like
            return False
        ready, _, _ = select.select([descriptor], [], [], STDIN_WAIT_SECONDS)
    except (AttributeError, OSError, ValueError):
        return False
    if not ready:
        notices.append(
            f"stdin stayed open and empty for {STDIN_WAIT_SECONDS:.0f} s and is left out; "
            "-f - waits for it, < /dev/null skips the wait"
        )
    return bool(ready)
