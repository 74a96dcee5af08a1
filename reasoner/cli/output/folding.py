"""Reasoning folded: one line for each step, alive while the step is written."""

from shutil import get_terminal_size
from typing import TYPE_CHECKING

from reasoner.cli.output.narrator import DIM, Narrator
from reasoner.cli.output.terminal import one_line

if TYPE_CHECKING:
    from reasoner.path import Step

__all__ = ["FoldingNarrator"]

KEPT = 400
"""Characters of a step that are looked at; a line shows fewer."""


class FoldingNarrator(Narrator):
    """Shows of every step its number and how it begins; `/think` opens it."""

    _step = 0
    _text = ""
    _shown = ""

    def think(self, text: str) -> None:
        if not self._thoughts:
            self.hint("thinking…")
            return
        if len(self._text) < KEPT:
            self._text += text
        self._draw(self._text)

    def hint(self, text: str) -> None:
        if not self._shown:
            super().hint(text)

    def end_step(self, step: "Step") -> None:
        if self._thoughts:
            self._draw(step.summary or step.name or step.text, f" · {step.tokens} tokens")
            self._keep()

    def end_line(self) -> None:
        self._keep()
        super().end_line()

    def _keep(self) -> None:
        """Let the line stand and begin the next one."""
        if self._shown:
            self._write("\n")
            self._step += 1
        self._text = self._shown = ""

    def end_thoughts(self) -> None:
        self._keep()
        self._step = 0
        super().end_thoughts()

    def _draw(self, text: str, after: str = "") -> None:
        """Draw the line again where it shows something new."""
        from rich.cells import set_cell_size

        words = one_line(text.strip()[:KEPT])
        if not words:
            return
        head = f"{self._step + 1:>3} "
        width = max(10, get_terminal_size().columns - 1 - len(head) - len(after))
        line = head + set_cell_size(words, width).rstrip() + after
        if line != self._shown:
            self._hinted = False  # it is drawn over
            self._write("\r\x1b[K" + line, DIM)
            self._shown = line
