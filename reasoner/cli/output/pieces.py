"""A line made of styled pieces, cut to a width that a terminal would count as we do."""

from collections.abc import Sequence

__all__ = ["BOLD", "DIM", "GREEN", "PLAIN", "RED", "YELLOW", "Piece", "paint", "width_of"]

PLAIN, BOLD, DIM, RED, GREEN, YELLOW = "", "1", "2", "31", "32", "33"
Piece = tuple[str, str]
"""A text that is safe to show, and its style: an SGR code or PLAIN."""


def paint(pieces: Sequence[Piece], *, colour: bool, width: int | None = None) -> str:
    """The pieces as one string of at most `width` columns."""
    shown = pieces if width is None else _cut(pieces, max(1, width))
    if not colour:
        return "".join(text for text, _ in shown)
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for text, style in shown)


def width_of(text: str) -> int:
    """The columns a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _cut(pieces: Sequence[Piece], width: int) -> list[Piece]:
    from rich.cells import set_cell_size

    if sum(width_of(text) for text, _ in pieces) <= width:
        return list(pieces)
    kept: list[Piece] = []
    left = width - 1
    for text, style in pieces:
        if width_of(text) > left:
            return [*kept, (set_cell_size(text, left) + "…", style)]
        kept.append((text, style))
        left -= width_of(text)
    return kept
