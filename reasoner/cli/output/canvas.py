"""The last lines of a terminal, drawn over and over in their place.

rich's Live counts the lines it drew, not the rows they take once the window has been made
narrower, and draws from a thread that wakes up for nothing. This one is told when to draw.
"""

import os
from collections.abc import Sequence
from typing import TextIO

from reasoner.cli.output.pieces import Piece, paint, width_of

__all__ = ["Canvas"]


class Canvas:
    """Draws lines below what is on screen, each time over the ones before.

    The cursor stays visible and at the end, so there is nothing to restore however it ends.
    """

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream, self._colour = stream, colour
        self._drawn: list[int] = []

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that may be used: a full last column would make some wrap."""
        try:
            window = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 79, 24
        return max(1, (window.columns or 80) - 1), max(1, window.lines or 24)

    def draw(self, lines: Sequence[Sequence[Piece]]) -> None:
        width = self.size[0]
        shown = [paint(line, colour=self._colour, width=width) for line in lines]
        self._stream.write(self._erasing() + "\n".join(shown))
        self._stream.flush()
        self._drawn = [min(width, sum(width_of(text) for text, _ in line)) for line in lines]

    def erase(self) -> None:
        """Leave the place as it was before anything was drawn."""
        self._stream.write(self._erasing())
        self._stream.flush()
        self._drawn = []

    def keep(self) -> None:
        """Leave what is drawn where it is and go on below it."""
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()
        self._drawn = []

    def _erasing(self) -> str:
        """Back to the first row: a window made narrower has wrapped the lines drawn before."""
        if not self._drawn:
            return ""
        columns = self.size[0] + 1
        rows = sum(max(1, -(-width // columns)) for width in self._drawn)
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return f"\r{up}\x1b[J"
