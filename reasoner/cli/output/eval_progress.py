"""How far an evaluation has come."""

import time
from typing import TextIO

from reasoner.cli.output.progress import StatusLine, format_duration
from reasoner.types.events import Event

__all__ = ["EvalProgress"]

LOG_SECONDS = 60.0


class EvalProgress:
    """Shows a variant's answered questions, right answers, pace and remaining time."""

    def __init__(self, stream: TextIO, variant: str, total: int, *, quiet: bool = False) -> None:
        self._status = StatusLine(stream, quiet=quiet, log_seconds=LOG_SECONDS)
        self._variant, self._total = variant, total
        self._started_at = time.monotonic()
        self._skipped = self._right = self._answered = 0

    @property
    def done(self) -> int:
        """The number of answered questions, those of earlier runs included."""
        return self._skipped + self._answered

    def skip(self, count: int) -> None:
        """Count questions that an earlier run has answered."""
        self._skipped += count

    def advance(self, *, correct: bool) -> None:
        """Count a question that was answered now."""
        self._answered += 1
        self._right += correct
        seconds = time.monotonic() - self._started_at
        remaining = seconds / self._answered * (self._total - self.done)
        self._status.show(
            f"{self._variant} · {self.done} of {self._total} · {self._right} of {self._answered} "
            f"right · {60 * self._answered / max(seconds, 0.01):.1f} a minute · "
            f"{format_duration(remaining)} left"
        )

    def on_event(self, event: Event) -> None:
        """Show the notices of the solver."""
        if event.kind == "notice":
            self.say(event.text)

    def say(self, text: str) -> None:
        """Write a notice on a line of its own."""
        self._status.print(text)

    def clear(self) -> None:
        """Remove the status line."""
        self._status.end()
