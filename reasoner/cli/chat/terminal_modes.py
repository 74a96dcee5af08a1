"""Terminal modes and signals of a chat: whatever ends it, the terminal is restored."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from reasoner.cli.output.terminal import is_terminal

__all__ = ["echo_disabled", "terminal_restored"]

TERMINATING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def terminal_restored() -> Iterator[None]:
    """Restore the terminal at the end of the block, also when SIGTERM or SIGHUP ends the program.

    Inside, a SIGINT without another handler does nothing.
    """
    modes = _terminal_modes()

    def restore_and_exit(number: int, _frame: Any) -> None:
        _restore(modes)
        os._exit(128 + number)

    handlers: dict[int, Any] = dict.fromkeys(TERMINATING_SIGNALS, restore_and_exit)
    handlers[signal.SIGINT] = lambda _number, _frame: None
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _restore(modes)


@contextmanager
def echo_disabled() -> Iterator[None]:
    """Do not show what is typed inside the block, where it would mix with the output.

    It is read afterwards.
    """
    modes = _terminal_modes()
    if modes is None:
        yield
        return
    silent = [*modes[:3], modes[3] & ~termios.ECHO, *modes[4:]]
    termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, modes)


def _terminal_modes() -> list[Any] | None:
    if not is_terminal(sys.stdin):
        return None
    with suppress(termios.error):
        return termios.tcgetattr(sys.stdin.fileno())
    return None


def _restore(modes: list[Any] | None) -> None:
    """Set the modes again, and switch off colours, a hidden cursor and bracketed paste."""
    if modes is None:
        return
    with suppress(termios.error, OSError, ValueError):
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, modes)
        if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
            os.write(sys.stderr.fileno(), b"\x1b[0m\x1b[?25h\x1b[?2004l")
