"""Markdown at a terminal, block by block: nothing that is on screen is drawn again."""

import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["MarkdownBlocks", "MarkdownPrinter", "protect"]

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
CODE_SPAN = re.compile(r"(`+[^`\n]+`+)")
LATEX = re.compile(r"\\(?=[()\[\]{}\\,;:!%|.])")
PRODUCT = re.compile(r"(?<=[\w)\]}])\*(?=[\w(\[{\\-])")
PADDING = re.compile(r" +$", re.MULTILINE)
LINE_END = re.compile(r"(?<=\S)\n")


class MarkdownBlocks:
    """Cuts a growing text at blank lines and around code fences; never inside a fence."""

    def __init__(self) -> None:
        self._line = ""
        self._block = ""
        self._fence = ""

    def feed(self, piece: str) -> list[str]:
        """Add the next piece of the text and return the blocks that it completed."""
        *lines, self._line = (self._line + piece).split("\n")
        return [block for line in lines for block in self._take(line) if block]

    def rest(self) -> list[str]:
        """The blocks that remain at the end of the text."""
        blocks = self._take(self._line) if self._line else []
        self._line = self._fence = ""
        return [block for block in [*blocks, self._cut()] if block]

    def _take(self, line: str) -> list[str]:
        fence = FENCE.match(line)
        if self._fence:
            self._block += line + "\n"
            closed = fence and fence[1].startswith(self._fence) and not line.strip(" `~")
            self._fence = "" if closed else self._fence
            return [self._cut()] if closed else []
        done = [self._cut()] if fence or not line.strip() else []
        self._fence = fence[1] if fence else ""
        self._block += line + "\n"
        return done

    def _cut(self) -> str:
        block, self._block = self._block.strip("\n"), ""
        return block


def protect(block: str) -> str:
    r"""Keep Markdown from eating mathematics: `\(`, `4*5*6`, `x<y and y>z`, and line ends."""
    if FENCE.match(block):
        return block
    parts = CODE_SPAN.split(block)
    parts[::2] = map(_protect_text, parts[::2])
    return "".join(parts)


def _protect_text(text: str) -> str:
    text = LATEX.sub(r"\\\\", text).replace("<", r"\<")
    return LINE_END.sub("  \n", PRODUCT.sub(r"\*", text))


class MarkdownPrinter:
    """Prints an answer's blocks as they are completed."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream, self._colour = stream, colour
        self._blocks = MarkdownBlocks()
        self._console: Console | None = None

    def feed(self, piece: str) -> None:
        for block in self._blocks.feed(piece):
            self._print(block)

    def close(self) -> None:
        for block in self._blocks.rest():
            self._print(block)

    def _print(self, block: str) -> None:
        from rich.markdown import Markdown

        if self._console is None:
            self._console = self._open()
        else:
            self._stream.write("\n")
        with self._console.capture() as captured:
            self._console.print(Markdown(protect(block), hyperlinks=False))
        shown = PADDING.sub("", captured.get()).strip("\n")
        self._stream.write(shown + "\n")
        self._stream.flush()

    def _open(self) -> "Console":
        from rich.console import Console

        system = "auto" if self._colour else None
        return Console(file=self._stream, color_system=system, highlight=False, emoji=False)  # type: ignore[arg-type]
