"""The running account of one question: what was spent, and when to stop."""

from time import monotonic

from reasoner.engine.engine import Generation
from reasoner.result import Usage

__all__ = ["Budget"]

REASONING_SHARE = 0.8
"""The part of the time limit that may be spent on reasoning; the rest is for the answer."""


class Budget:
    """Shared by everything that works on a question."""

    def __init__(self, seconds: float | None = None) -> None:
        self._begun = monotonic()
        self._seconds = seconds
        self._running: set[Generation] = set()
        self.stopped = False
        self.timed_out = False
        self.decoded_tokens = 0
        self.written_tokens = 0
        self.tool_calls = 0

    @property
    def elapsed(self) -> float:
        return monotonic() - self._begun

    @property
    def remaining(self) -> float | None:
        """Seconds left, or None without a time limit."""
        return None if self._seconds is None else max(0.0, self._seconds - self.elapsed)

    def reasoning_over(self) -> bool:
        """Whether it is time to close the reasoning and state the answer."""
        return self._seconds is not None and self.elapsed >= REASONING_SHARE * self._seconds

    def track(self, generation: Generation) -> None:
        """Count a generation in, so that `stop` reaches it."""
        self._running.add(generation)
        if self.stopped:
            generation.cancel()

    def settle(self, generation: Generation, written: int, unread: int) -> None:
        """Count a generation out, with the tokens it wrote; `unread` of its prompt's tokens
        had never been read before, because an earlier round wrote them last."""
        self._running.discard(generation)
        self.decoded_tokens += max(0, generation.decoded_tokens - unread)
        self.written_tokens += written

    def stop(self) -> None:
        """End every running generation with what there is."""
        self.stopped = True
        for generation in list(self._running):
            generation.cancel()

    def expire(self) -> None:
        """Stop because the time is up."""
        self.timed_out = not self.stopped
        self.stop()

    def usage(self, *, prompt: int, reasoning: int, answer: int) -> Usage:
        """The account, for a chosen path of so many tokens."""
        seconds = self.elapsed
        return Usage(
            prompt_tokens=prompt,
            decoded_tokens=self.decoded_tokens,
            completion_tokens=self.written_tokens,
            reasoning_tokens=reasoning,
            wasted_tokens=max(0, self.written_tokens - reasoning - answer),
            tool_calls=self.tool_calls,
            seconds=seconds,
            tokens_per_second=self.written_tokens / seconds if seconds > 0 else 0.0,
        )
