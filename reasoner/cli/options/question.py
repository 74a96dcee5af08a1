"""The question, put together from the argument, the files and stdin, in that order.

Parts are separated by a blank line. stdin is a part when it is a file, or a pipe that has data or
is closed. A pipe that stays open and empty is waited for, and then left out with a warning: it
must not block the program for ever.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from reasoner.cli.options.media import media_kind
from reasoner.cli.options.stdin import (
    WaitDisplay,
    read_bounded,
    read_stdin_bytes,
    stdin_delivers,
)
from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import UsageError

__all__ = [
    "EXAMPLE",
    "STDIN_WAIT_SECONDS",
    "collect_question",
    "decode_text",
    "read_stdin",
    "read_text_file",
]

EXAMPLE = 'reasoner ask "What is 12 * 13?"'
STDIN_WAIT_SECONDS = 10.0
"""How long to wait for data from a pipe when there is a question without it."""


def collect_question(
    argument: str | None,
    files: Sequence[str],
    warnings: list[str],
    *,
    stdin_seconds: float = STDIN_WAIT_SECONDS,
    display: WaitDisplay | None = None,
) -> str:
    """Return the whole question; a line for each part that was left out is added to `warnings`.

    A pipe on stdin is waited for at most `stdin_seconds` when there is a question without it, and
    without a limit otherwise; `display` shows the wait. Raises UsageError when there is no
    question, or a part cannot be read as text.
    """
    parts = [_argument(argument)] if argument else []
    parts += [read_stdin(display) if name == "-" else read_text_file(Path(name)) for name in files]
    stdin_is_implied = "-" not in files and not is_terminal(sys.stdin)
    stdin_is_all = argument is None and not files
    if stdin_is_implied and (stdin_is_all or _stdin_is_ready(stdin_seconds, display, warnings)):
        parts.append(read_stdin(display))
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
            return decode_text(read_bounded(stream.fileno(), str(path)), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_stdin(display: WaitDisplay | None = None) -> str:
    """Return the text of stdin up to its end, empty when it is closed; `display` shows a wait.

    Raises UsageError when it is too large or no text.
    """
    return decode_text(read_stdin_bytes(display), "stdin")


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


def _stdin_is_ready(seconds: float, display: WaitDisplay | None, warnings: list[str]) -> bool:
    delivers = stdin_delivers(seconds, display)
    if delivers is False:
        warnings.append(
            f"stdin stayed open and empty for {seconds:g} s and is left out; --stdin-timeout "
            "waits longer, -f - for ever, and < /dev/null not at all"
        )
    return bool(delivers)
