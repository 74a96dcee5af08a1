"""A program that stays: Ctrl-C never ends it, and whatever ends it leaves the terminal whole."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from reasoner.cli.output.terminal import is_terminal

__all__ = ["staying", "unechoed"]

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def staying() -> Iterator[None]:
    """Inside, a SIGINT that nobody waits for does nothing, and SIGTERM and SIGHUP put the terminal
    back before they end the program."""
    modes = _modes()

    def leave(number: int, _frame: Any) -> None:
        _restore(modes)
        os._exit(128 + number)

    handlers: dict[int, Any] = dict.fromkeys(ENDINGS, leave)
    handlers[signal.SIGINT] = lambda _number, _frame: None
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _restore(modes)


@contextmanager
def unechoed() -> Iterator[None]:
    """Inside, what is typed does not show up between the lines being written; it is read later."""
    modes = _modes()
    if modes is None:
        yield
        return
    import termios

    silent = [*modes[:3], modes[3] & ~termios.ECHO, *modes[4:]]
    termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, modes)


def _modes() -> list[Any] | None:
    if not is_terminal(sys.stdin):
        return None
    import termios

    with suppress(termios.error):
        return termios.tcgetattr(sys.stdin.fileno())
    return None


def _restore(modes: list[Any] | None) -> None:
    """The modes as they were, no colours, a cursor, no bracketed paste."""
    if modes is None:
        return
    import termios

    with suppress(termios.error, OSError, ValueError):
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, modes)
        if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
            os.write(sys.stderr.fileno(), b"\x1b[0m\x1b[?25h\x1b[?2004l")
