"""The last lines of a terminal, drawn over and over in their place.

rich's Live counts the lines it drew, not the rows they take once the window has been made
narrower, and draws from a thread that wakes up for nothing. A Canvas draws only when it is called.
"""

import os
from collections.abc import Sequence
from typing import TextIO

from reasoner.cli.output.segments import Segment, paint, width_of

__all__ = ["Canvas"]

DEFAULT_COLUMNS, DEFAULT_ROWS = 80, 24


class Canvas:
    """Draws lines below what is on screen, each time over the ones before.

    The cursor stays visible and at the end, so there is nothing to restore however it ends.
    """

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream, self._colour = stream, colour
        self._drawn_widths: list[int] = []

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that may be used: a full last column would make some terminals wrap."""
        try:
            window = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return DEFAULT_COLUMNS - 1, DEFAULT_ROWS
        columns, rows = window.columns or DEFAULT_COLUMNS, window.lines or DEFAULT_ROWS
        return max(1, columns - 1), max(1, rows)

    @property
    def drawn(self) -> bool:
        """Whether lines of this canvas are on the screen and can be drawn over."""
        return bool(self._drawn_widths)

    def draw(self, lines: Sequence[Sequence[Segment]]) -> None:
        """Draw the lines, each cut to the width of the window, in place of those drawn before."""
        width = self.size[0]
        painted = [paint(line, colour=self._colour, width=width) for line in lines]
        self._write(self._erasing() + "\n".join(painted))
        self._drawn_widths = [min(width, sum(width_of(text) for text, _ in line)) for line in lines]

    def erase(self) -> None:
        """Leave the place as it was before anything was drawn."""
        self._write(self._erasing())
        self._drawn_widths = []

    def erase_rows(self, rows: int) -> None:
        """Erase the last `rows` rows of the screen, of which the cursor's row is the lowest."""
        self._write(_erasing_rows(rows))

    def keep(self) -> None:
        """Leave what is drawn where it is and go on below it."""
        if self._drawn_widths:
            self._write("\n")
        self._drawn_widths = []

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _erasing(self) -> str:
        """Back to the first row: a window made narrower has wrapped the lines drawn before."""
        if not self._drawn_widths:
            return ""
        columns = self.size[0] + 1
        return _erasing_rows(sum(max(1, -(-width // columns)) for width in self._drawn_widths))


def _erasing_rows(rows: int) -> str:
    up = f"\x1b[{rows - 1}A" if rows > 1 else ""
    return f"\r{up}\x1b[J"
