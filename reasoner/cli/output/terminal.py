"""What a stream can show, and what must never reach it.

Text that a model wrote is hostile: a terminal would obey the escapes in it.
"""

import io
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "colourful",
    "columns",
    "is_terminal",
    "make_streams_lossy",
    "mute_stdout",
    "one_line",
    "print_error",
    "rewritable",
    "same_terminal",
    "without_controls",
    "wrapped",
]

# CSI and OSC sequences go whole; whatever is left of C0 (but \n and \t), DEL, C1 and the
# characters that reorder the line on screen goes one by one.
SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINE_BREAKS = re.compile(r"\s*[\n\t]\s*")
MAX_LINE_CHARACTERS = 2000
STDERR_DESCRIPTOR = 2


def without_controls(text: str) -> str:
    """The text without anything a terminal would act on."""
    return CONTROL.sub("", SEQUENCE.sub("", text))


def one_line(text: str) -> str:
    """The text as a single clean line of bounded length."""
    line = LINE_BREAKS.sub(" ", without_controls(text.replace("\r", "\n"))).strip()
    return line if len(line) <= MAX_LINE_CHARACTERS else line[: MAX_LINE_CHARACTERS - 1] + "…"


def wrapped(text: str, width: int | None) -> str:
    """A line that is wider than the terminal broken between words, not wherever the edge falls."""
    if width is None or len(text) <= width:
        return text
    from textwrap import wrap

    return "\n".join(wrap(text, width, break_long_words=False, break_on_hyphens=False))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is open and shown on a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def colourful(stream: TextIO, *, no_color: bool = False) -> bool:
    """Whether the stream may be given colours and attributes at all."""
    return rewritable(stream) and not (no_color or bool(os.environ.get("NO_COLOR")))


def rewritable(stream: TextIO) -> bool:
    """Whether lines that were written to the stream can be erased and written again."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def same_terminal(first: TextIO, second: TextIO) -> bool:
    """Whether both streams are shown on one screen."""
    if not (is_terminal(first) and is_terminal(second)):
        return False
    try:
        return os.fstat(first.fileno()).st_rdev == os.fstat(second.fileno()).st_rdev
    except (OSError, ValueError):
        return False


def columns(stream: TextIO) -> int | None:
    """The width of the stream's terminal in columns; None where the stream is no terminal."""
    if not is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


class _LossyFile(io.FileIO):
    """A file that drops what it cannot write: a full disk under a log must not cost the answer."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def make_streams_lossy() -> None:
    """Make stdout and stderr write whatever they are given without an error; a closed stdin is
    empty.

    A character that the locale has no code for becomes '?'; output to a closed stream, and stderr
    on a full disk, is dropped.
    """
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr.fileno() == STDERR_DESCRIPTOR:
        raw = io.BufferedWriter(_LossyFile(STDERR_DESCRIPTOR, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def print_error(message: str) -> None:
    """Write an error message on one line of stderr, or several where a terminal is narrower."""
    line = f"reasoner: {one_line(message)}"
    print(wrapped(line, columns(sys.stderr)), file=sys.stderr)


def mute_stdout() -> None:
    """Drop the rest of stdout: the program that read it has ended, which is not an error."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
