"""Lines made of styled segments, and the number of terminal columns that text takes."""

from collections.abc import Sequence

__all__ = [
    "BOLD",
    "DIM",
    "GREEN",
    "PLAIN",
    "RED",
    "YELLOW",
    "Segment",
    "paint",
    "rows_of",
    "shortened",
    "styled",
    "width_of",
]

PLAIN, BOLD, DIM, RED, GREEN, YELLOW = "", "1", "2", "31", "32", "33"
"""SGR codes, the only ones that the program writes itself."""
Segment = tuple[str, str]
"""A text that is safe to show, and its style: an SGR code or PLAIN."""


def styled(text: str, style: str, *, colour: bool) -> str:
    """The text between the control sequences of its style; without `colour` the text alone."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and colour else text


def paint(segments: Sequence[Segment], *, colour: bool, width: int | None = None) -> str:
    """The segments as one string of at most `width` columns."""
    shown = segments if width is None else _cut(segments, max(1, width))
    return "".join(styled(text, style, colour=colour) for text, style in shown)


def width_of(text: str) -> int:
    """The number of columns that a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def shortened(text: str, width: int) -> str:
    """The text if it takes at most `width` columns; otherwise its beginning and "…"."""
    from rich.cells import set_cell_size

    return text if width_of(text) <= width else set_cell_size(text, width - 1) + "…"


def rows_of(text: str, columns: int) -> int:
    """The number of rows that a text with line breaks takes on a terminal of so many columns.

    A character of two columns that does not fit at the end of a row goes to the next one.
    """
    rows = 0
    for line in text.split("\n"):
        rows, column = rows + 1, 0
        for character in line:
            width = width_of(character)
            if column + width > columns:
                rows, column = rows + 1, 0
            column += width
    return rows


def _cut(segments: Sequence[Segment], width: int) -> list[Segment]:
    if sum(width_of(text) for text, _ in segments) <= width:
        return list(segments)
    shown: list[Segment] = []
    remaining_columns = width - 1
    for text, style in segments:
        columns = width_of(text)
        if columns > remaining_columns:
            return [*shown, (shortened(text + "…", remaining_columns + 1), style)]
        shown.append((text, style))
        remaining_columns -= columns
    return shown
