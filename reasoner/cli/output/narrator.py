"""Writes to stderr: the reasoning, notices, and the line that says what the answer is worth."""

import re
from typing import TYPE_CHECKING, TextIO

from reasoner.cli.output.canvas import Canvas
from reasoner.cli.output.segments import DIM, GREEN, RED, YELLOW, rows_of, styled
from reasoner.cli.output.sentences import status_line, usage_line
from reasoner.cli.output.terminal import columns, is_terminal, one_line, without_controls, wrapped

if TYPE_CHECKING:
    from reasoner.types.result import Result
    from reasoner.types.trajectory import Step

__all__ = ["Narrator"]

STATUS_STYLES = {"verified": GREEN, "refuted": RED, "answered": DIM, "no_answer": YELLOW}
UNCERTAIN_WIDTH = re.compile("[\t\u200d\ufe0f\U0001f000-\U0010ffff]")
"""Characters that terminals give different numbers of columns."""


class Narrator:
    """Writes to stderr; keeps track of the column so that every notice starts a line."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        shows_reasoning: bool,
        quiet: bool = False,
        usage: bool = False,
        verdict: bool = True,
    ) -> None:
        self.shows_reasoning = shows_reasoning
        self._stream, self._colour = stream, colour
        self._quiet, self._usage, self._verdict = quiet, usage, verdict
        self._canvas = Canvas(stream, colour=colour)
        self._inside = self._midline = False
        self._last_thoughts = ""
        """The reasoning at the end of what is on the screen, as it was written there."""

    def show_reasoning(self, text: str) -> None:
        """Write a piece of reasoning; where reasoning is hidden, a hint that it goes on."""
        if not self.shows_reasoning:
            self.hint("thinking…")
            return
        text = without_controls(text)
        if not self._inside:
            text = text.lstrip()
        if not text:
            return
        self._erase_hint()
        self._inside, self._midline = True, not text.endswith("\n")
        self._last_thoughts += text
        self._write(text, DIM)

    def end_step(self, step: "Step") -> None:
        """End the line of a step that is complete."""
        self.end_line()

    def end_line(self) -> None:
        """Go to the beginning of a line."""
        if self._midline:
            self._last_thoughts += "\n"
            self._write("\n")
            self._midline = False

    def end_thoughts(self) -> None:
        """Leave an empty line between the reasoning and what follows it."""
        self._erase_hint()
        if self._inside:
            self.end_line()
            if is_terminal(self._stream):
                self._last_thoughts += "\n"
                self._write("\n")
            self._inside = False

    def ends_with(self, answer: str) -> bool:
        """Whether the answer is on the screen already, as the end of the reasoning."""
        shown, answer = self._last_thoughts.rstrip(), without_controls(answer).strip()
        whole_lines = shown[: -len(answer)].endswith("\n") or shown == answer
        return bool(answer) and shown.endswith(answer) and whole_lines

    def take_back(self, answer: str) -> bool:
        """Erase the end of the reasoning if it is the answer, and return whether the answer has to
        be written: not if it is on the screen and cannot be erased there."""
        if not self.ends_with(answer):
            return True
        start = len(self._last_thoughts.rstrip()) - len(without_controls(answer).strip())
        text = self._last_thoughts[start:]
        width, height = self._canvas.size
        rows = rows_of(text, width + 1)
        if not self._colour or rows > height or UNCERTAIN_WIDTH.search(text):
            return False
        self._canvas.erase_rows(rows)
        self._last_thoughts = self._last_thoughts[:start]
        return True

    def show_notice(self, text: str) -> None:
        """Write a notice on a line of its own."""
        if not self._quiet:
            self._erase_hint()
            self.end_line()
            self._write_line(one_line(text), DIM)

    def separate(self) -> None:
        """Write an empty line."""
        if not self._quiet:
            self._write_line("", "")

    def conclude(self, result: "Result") -> None:
        """Write the status line, and the statistics if they were asked for."""
        if self._verdict and not self._quiet and result.answer.strip():
            self._write_line(status_line(result), STATUS_STYLES[result.status])
        if self._usage:
            self._write_line(usage_line(result), DIM)

    def hint(self, text: str) -> None:
        """Show a line that goes again; only where it can be erased, and nothing else with it."""
        if self._colour and not (self._quiet or self._canvas.drawn or self._midline):
            self._canvas.draw([[(text, DIM)]])

    def _erase_hint(self) -> None:
        if self._canvas.drawn:
            self._canvas.erase()

    def _write_line(self, text: str, style: str) -> None:
        self._last_thoughts = ""
        self._write(wrapped(text, columns(self._stream)), style)
        self._write("\n")

    def _write(self, text: str, style: str = "") -> None:
        self._stream.write(styled(text, style, colour=self._colour))
        self._stream.flush()
