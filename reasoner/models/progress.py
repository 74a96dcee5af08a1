"""What a download tells whoever watches; drawing it is the watcher's affair."""

from collections.abc import Callable
from typing import Protocol

__all__ = ["Notice", "Progress", "Silent", "silent"]

Notice = Callable[[str], None]
"""Takes one line the user should know that is not an error."""


class Progress(Protocol):
    """Watches one download after another; `begin` and `end` come in pairs, also on errors."""

    def begin(self, label: str, total: int | None, done: int) -> None:
        """A download starts: `total` bytes, `done` of them here from an earlier attempt."""

    def advance(self, size: int) -> None:
        """`size` more bytes have arrived; negative when some must be fetched again."""

    def end(self) -> None:
        """It is over, well or badly."""


class Silent:
    """Watches without a word."""

    def begin(self, label: str, total: int | None, done: int) -> None:
        pass

    def advance(self, size: int) -> None:
        pass

    def end(self) -> None:
        pass


def silent(line: str) -> None:
    """Drop a notice."""
