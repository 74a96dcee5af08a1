"""Reasoning folded: one line for each step, alive while the step is written."""

from typing import TYPE_CHECKING

from reasoner.cli.output.narrator import Narrator
from reasoner.cli.output.segments import DIM, width_of
from reasoner.cli.output.terminal import one_line, without_controls

if TYPE_CHECKING:
    from reasoner.types.trajectory import Step

__all__ = ["FoldingNarrator"]

MAX_STEP_CHARACTERS = 400
"""Characters of a step that are looked at; a line shows fewer."""
MIN_COLUMNS = 10


class FoldingNarrator(Narrator):
    """Shows the number and the beginning of every step; the chat command `/think` shows it all."""

    _steps = 0
    _text = ""
    """The step that is being written."""
    _shown = ""
    """What its line shows of it."""
    _unfinished = ""
    """The words of the last line, if it stands and its step did not end: it may be the answer."""

    def show_reasoning(self, text: str) -> None:
        if not self.shows_reasoning:
            self.hint("thinking…")
            return
        if len(self._text) < MAX_STEP_CHARACTERS:
            self._text += text
        self._draw(self._text)

    def hint(self, text: str) -> None:
        if not self._shown:
            super().hint(text)

    def end_step(self, step: "Step") -> None:
        if self.shows_reasoning:
            self._draw(step.summary or step.name or step.text, f" · {step.tokens} tokens")
            self._keep()

    def end_line(self) -> None:
        self._keep()
        super().end_line()

    def end_thoughts(self) -> None:
        words = _beginning(self._text) if self._shown else ""
        self._keep()
        self._unfinished = words or self._unfinished
        self._steps = 0
        super().end_thoughts()

    def ends_with(self, answer: str) -> bool:
        return bool(self._unfinished) and _beginning(answer) == self._unfinished

    def take_back(self, answer: str) -> bool:
        if self.ends_with(answer):
            self._canvas.erase_rows(2)  # the step's line and the cursor's
            self._unfinished = ""
        return True

    def _keep(self) -> None:
        """Let the line stand and begin the next one."""
        if self._shown:
            self._canvas.keep()
            self._steps += 1
            self._unfinished = ""
        self._text = self._shown = ""

    def _draw(self, text: str, after: str = "") -> None:
        """Draw the line again where it shows something new."""
        from rich.cells import set_cell_size

        words = _beginning(text)
        if not words:
            return
        head = f"{self._steps + 1:>3} "
        width = max(MIN_COLUMNS, self._canvas.size[0] - width_of(head + after))
        line = head + set_cell_size(words, width).rstrip() + after
        if line != self._shown:
            self._canvas.draw([[(line, DIM)]])
            self._shown = line

    def _erase_hint(self) -> None:
        if not self._shown:  # then the canvas holds a hint, not a step
            super()._erase_hint()

    def _write_line(self, text: str, style: str) -> None:
        self._unfinished = ""
        super()._write_line(text, style)


def _beginning(text: str) -> str:
    return one_line(without_controls(text).strip()[:MAX_STEP_CHARACTERS])
