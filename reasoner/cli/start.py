"""The entry of the program: Ctrl-C and closed standard streams are harmless from here on."""

import os
import signal
import sys
from types import FrameType

__all__ = ["main"]

STANDARD_DESCRIPTORS = (0, 1, 2)
SIGINT_CODE = 130
"""The exit code by which commands report an interruption, by whichever signal."""


def main() -> None:
    """Run the command line.

    While its modules are imported, and again while the interpreter ends, Ctrl-C ends the program
    at once: an exception there would be shown as a traceback. In between, each ending signal
    raises KeyboardInterrupt where nobody else handles it.
    """
    sys.unraisablehook = _report_unraisable
    is_heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_heeded:
        signal.signal(signal.SIGINT, _leave)
    _occupy_closed_descriptors()
    from reasoner.cli.app import run_command_line
    from reasoner.cli.ending_signal import interrupted_code

    try:
        _raise_for_signals(is_heeded)
        run_command_line()
    except KeyboardInterrupt:
        sys.exit(interrupted_code())
    except SystemExit as ending:
        sys.exit(interrupted_code() if ending.code == SIGINT_CODE else ending.code)
    finally:
        if is_heeded:
            signal.signal(signal.SIGINT, _leave)


def _raise_for_signals(is_interrupt_heeded: bool) -> None:
    """Handle ending signals by KeyboardInterrupt; one that is ignored, as after nohup, stays so."""
    from reasoner.cli.ending_signal import TERMINATING_SIGNALS

    for number in TERMINATING_SIGNALS:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    if is_interrupt_heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _occupy_closed_descriptors() -> None:
    """Open the null device for standard descriptors that are closed; a file that is opened later
    would get their numbers, and messages would be written to it."""
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, so this one
            os.set_inheritable(descriptor, True)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    from reasoner.cli.ending_signal import record_signal

    record_signal(number)
    raise KeyboardInterrupt


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(SIGINT_CODE)


def _report_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Report an error of a destructor or callback; a Ctrl-C that arrives there ends the program."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(SIGINT_CODE)
    sys.__unraisablehook__(unraisable)
