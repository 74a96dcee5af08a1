"""The signals that end the program, and the exit code that names the one that did."""

import os
import signal
import sys

__all__ = ["ENDING_SIGNALS", "TERMINATING_SIGNALS", "interrupted_code", "record_signal"]

TERMINATING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals by which others end the program: `timeout`, `docker stop`, a window that is closed."""
ENDING_SIGNALS = (signal.SIGINT, *TERMINATING_SIGNALS)
OUTPUT_DESCRIPTORS = (1, 2)
SIGNAL_CODE_BASE = 128


class _LastSignal:
    number: int = signal.SIGINT


def record_signal(number: int) -> None:
    """Record that a signal ends the program; output to a terminal that is gone is dropped."""
    _LastSignal.number = number
    if number == signal.SIGHUP:
        _drop_lost_outputs()


def interrupted_code() -> int:
    """Return 128 and the number of the signal that ended the program, as shells do."""
    return SIGNAL_CODE_BASE + _LastSignal.number


def _drop_lost_outputs() -> None:
    """Replace stdout and stderr by the null device where their terminal was closed: what there is
    of an answer is still to be recorded, and an error of writing would prevent that."""
    for descriptor in OUTPUT_DESCRIPTORS:
        try:
            os.write(descriptor, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    sys.stdout.flush()
