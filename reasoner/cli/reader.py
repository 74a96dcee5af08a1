"""Where a chat's lines come from: an editor at a terminal, else stdin line by line."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from reasoner.cli.interrupt import Interrupt
from reasoner.cli.output.terminal import is_terminal
from reasoner.cli.question import LARGEST, decode

if TYPE_CHECKING:
    from pathlib import Path

    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

__all__ = ["Editor", "Lines", "Reader", "open_reader"]

PROMPT = "› "


class Reader(Protocol):
    """Where the user's words come from."""

    async def read(self) -> str | None:
        """The next thing the user says; None when there is no more."""

    async def choose(self, question: str) -> str | None:
        """The reply to a question of ours; None where nobody can be asked."""


def open_reader(data: "Path", meter: Callable[[], str]) -> Reader:
    """The editor where a person types; its history is kept in `data`. What `meter` says stands
    before the prompt."""
    if is_terminal(sys.stdin) and is_terminal(sys.stderr):
        return Editor(data, meter)
    return Lines()


class Lines:
    """One line of stdin is one turn."""

    async def read(self) -> str | None:
        with Interrupt():
            line = sys.stdin.buffer.readline(LARGEST)
        return decode(line, "stdin").rstrip("\r\n") if line else None

    async def choose(self, question: str) -> str | None:
        return None


class Editor:
    """Line editing with history. It draws on stderr: stdout is for answers."""

    def __init__(self, data: "Path", meter: Callable[[], str]) -> None:
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


def _history(data: "Path") -> "History":
    """A file only its owner can read; where there can be none, memory."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        file = data / "chat_history"
        file.touch(mode=0o600)
        file.open("a").close()
        return FileHistory(file)
    return InMemoryHistory()


def _bindings() -> "KeyBindings":
    """Enter sends; Alt-Enter, or Esc and then Enter, starts a new line."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _newline(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys
