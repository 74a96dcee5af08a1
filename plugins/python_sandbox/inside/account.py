"""What the child tells about itself and its program: ready, one line for a failure, its frames."""

import sys
import traceback

__all__ = ["READY", "flush", "line", "line_number", "show"]

READY = b"+"
"""Reported once confined and with the order in hand; a jail that never says it has run nothing."""
MAX_LINE = 300


def line(error: BaseException) -> str:
    """`NameError: name 'x' is not defined`, however the exception behaves when asked."""
    name = type(error).__name__
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        text = ""
    return " ".join(f"{name}: {text}".split())[:MAX_LINE].rstrip(": ")


def line_number(error: BaseException, name: str) -> int | None:
    """The line of the file called `name` in which it happened."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno
    frames = traceback.walk_tb(error.__traceback__)
    lines = [number for frame, number in frames if frame.f_code.co_filename == name]
    return lines[-1] if lines else None


def show(error: BaseException, name: str) -> None:
    """Print the traceback without our own frames."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != name:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace, limit=-8)


def flush() -> None:
    """Push out what was printed, wherever it still can go."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
