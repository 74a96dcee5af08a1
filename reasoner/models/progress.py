"""The interface through which a download reports its progress and its notices."""

from collections.abc import Callable
from typing import Protocol

__all__ = ["DownloadObserver", "NoticeCallback", "SilentObserver", "ignore_notice"]

NoticeCallback = Callable[[str], None]
"""Takes one line the user should know that is not an error."""


class DownloadObserver(Protocol):
    """Receives the progress of one download after another.

    Every `begin` is followed by one `end`, also when the download fails.
    """

    def begin(self, label: str, total: int | None, done: int) -> None:
        """Start a download of `total` bytes (None: unknown), `done` of which are here already."""

    def advance(self, size: int) -> None:
        """Add `size` bytes; a negative number when some must be fetched again."""

    def end(self) -> None:
        """End the download, whether it succeeded or failed."""


class SilentObserver:
    """A progress that is not shown."""

    def begin(self, label: str, total: int | None, done: int) -> None:
        """Ignore the start of a download."""

    def advance(self, size: int) -> None:
        """Ignore the bytes."""

    def end(self) -> None:
        """Ignore the end of a download."""


def ignore_notice(line: str) -> None:
    """Drop a notice."""
