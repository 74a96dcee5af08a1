"""The child's report on itself and its program: the start signal, error lines, tracebacks."""

import sys
import traceback

__all__ = ["START_SIGNAL", "error_line", "flush_output", "line_number", "print_traceback"]

START_SIGNAL = b"+"
"""Sent when the child is confined and has its order; without it no code was run."""
MAX_LINE = 300


def error_line(error: BaseException) -> str:
    """Return an exception as one line, even when its `__str__` raises."""
    name = type(error).__name__
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        text = ""
    return " ".join(f"{name}: {text}".split())[:MAX_LINE].rstrip(": ")


def line_number(error: BaseException, name: str) -> int | None:
    """Return the number of the line in the file `name` where the exception was raised."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno
    frames = traceback.walk_tb(error.__traceback__)
    lines = [number for frame, number in frames if frame.f_code.co_filename == name]
    return lines[-1] if lines else None


def print_traceback(error: BaseException, name: str) -> None:
    """Print the traceback without the frames of the sandbox itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != name:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace, limit=-8)


def flush_output() -> None:
    """Flush both output streams, ignoring errors."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
