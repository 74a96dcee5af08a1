"""Where a chat reads its lines: a line editor at a terminal, otherwise stdin."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reasoner.cli.interrupt import Interrupt
from reasoner.cli.options.question import decode_text
from reasoner.cli.options.stdin import MAX_SOURCE_BYTES
from reasoner.cli.output.terminal import is_terminal

if TYPE_CHECKING:
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

__all__ = ["LineEditor", "Reader", "StdinReader", "open_reader"]

PROMPT = "› "


class Reader(Protocol):
    """A source of the user's lines."""

    async def read(self) -> str | None:
        """Return the next line or several; None at the end."""

    async def choose(self, question: str) -> str | None:
        """Return the user's reply to a question; None where there is nobody to ask."""


def open_reader(data: Path, meter: Callable[[], str]) -> Reader:
    """Return a line editor at a terminal, with its history in the folder `data`; otherwise stdin.

    The text that `meter` returns is shown before the prompt.
    """
    if is_terminal(sys.stdin) and is_terminal(sys.stderr):
        return LineEditor(data, meter)
    return StdinReader()


class StdinReader:
    """Reads stdin; one line is one turn."""

    async def read(self) -> str | None:
        with Interrupt():
            line = sys.stdin.buffer.readline(MAX_SOURCE_BYTES)
        return decode_text(line, "stdin").rstrip("\r\n") if line else None

    async def choose(self, question: str) -> str | None:
        return None


class LineEditor:
    """Line editing with history, drawn on stderr because stdout is for answers."""

    def __init__(self, data: Path, meter: Callable[[], str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.output import create_output

        self._session: PromptSession[str] = PromptSession(
            lambda: [("class:meter", meter()), ("", PROMPT)],
            history=_history(data),
            key_bindings=_bindings(),
            multiline=True,
            prompt_continuation="  ",
            output=create_output(sys.stderr),
        )

    async def read(self) -> str | None:
        while True:
            try:
                return await self._session.prompt_async()
            except KeyboardInterrupt:  # clears the line
                continue
            except EOFError:
                return None

    async def choose(self, question: str) -> str | None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.output import create_output

        session: PromptSession[str] = PromptSession(question, output=create_output(sys.stderr))
        with suppress(KeyboardInterrupt, EOFError):
            return await session.prompt_async()
        return None


def _history(data: Path) -> "History":
    """Return a history in a file that only its owner can read, or in memory without one."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        file = data / "chat_history"
        file.touch(mode=0o600)
        file.open("a").close()
        return FileHistory(file)
    return InMemoryHistory()


def _bindings() -> "KeyBindings":
    """Return the keys: Enter sends; Alt-Enter, or Esc and then Enter, starts a new line."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _newline(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys
