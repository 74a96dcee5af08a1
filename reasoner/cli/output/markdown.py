"""Markdown at a terminal, block by block: nothing that is on screen is drawn again."""

import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Blocks", "MarkdownPrinter"]

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


class Blocks:
    """Cuts a growing text at the blank lines between blocks; never inside a code fence."""

    def __init__(self) -> None:
        self._line = ""
        self._block = ""
        self._fence = ""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; give the blocks it completed."""
        *lines, self._line = (self._line + piece).split("\n")
        return [block for line in lines if (block := self._take(line))]

    def rest(self) -> str:
        """What is left at the end of the text."""
        left, self._block, self._line = self._block + self._line, "", ""
        return left

    def _take(self, line: str) -> str:
        fence = FENCE.match(line)
        if fence and not self._fence:
            self._fence = fence[1]
        elif fence and fence[1].startswith(self._fence) and not line.strip(" `~"):
            self._fence = ""
        self._block += line + "\n"
        if self._fence or line.strip():
            return ""
        block, self._block = self._block.strip("\n"), ""
        return block


class MarkdownPrinter:
    """Prints an answer's blocks as they are completed."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream, self._colour = stream, colour
        self._blocks = Blocks()
        self._console: Console | None = None

    def feed(self, piece: str) -> None:
        for block in self._blocks.feed(piece):
            self._print(block)

    def close(self) -> None:
        if rest := self._blocks.rest().strip("\n"):
            self._print(rest)

    def _print(self, block: str) -> None:
        from rich.markdown import Markdown

        if self._console is None:
            self._console = self._open()
        else:
            self._console.print()
        self._console.print(Markdown(block, hyperlinks=False))

    def _open(self) -> "Console":
        from rich.console import Console

        system = "auto" if self._colour else None
        return Console(file=self._stream, color_system=system, highlight=False, emoji=False)  # type: ignore[arg-type]
