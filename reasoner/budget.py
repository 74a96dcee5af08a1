"""The running account of one question: what was spent, and when to stop."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from reasoner.engine.engine import Generation
from reasoner.result import Usage

__all__ = ["Budget"]

T = TypeVar("T")

REASONING_SHARE = 0.8
"""The part of a limit that may be spent on reasoning; the rest is for the answers."""


class Budget:
    """Shared by everything that works on a question: policy, value model and tools.

    `seconds` limits the wall clock, `tokens` what is written, what tools put in and what is read
    to evaluate, over all paths together. At four fifths of either, reasoning closes softly; at the
    limit itself all that runs is stopped.
    """

    def __init__(self, seconds: float | None = None, tokens: int | None = None) -> None:
        self._begun = monotonic()
        self._seconds, self._tokens = seconds, tokens
        self._running: set[Generation] = set()
        self._halt = asyncio.Event()
        self.exhausted = False
        self.decoded_tokens = 0
        self.written_tokens = 0
        self.placed_tokens = 0
        self._scored = self._judged = 0
        self.tool_calls = 0

    @property
    def elapsed(self) -> float:
        return monotonic() - self._begun

    @property
    def remaining(self) -> float | None:
        """Seconds left, or None without a time limit."""
        return None if self._seconds is None else max(0.0, self._seconds - self.elapsed)

    @property
    def value_tokens(self) -> int:
        """What was read to evaluate, by a value model or by the policy as its own judge."""
        return self._scored + self._judged

    @property
    def spent_tokens(self) -> int:
        """What counts against the token limit."""
        return self.written_tokens + self.placed_tokens + self.value_tokens

    @property
    def stopped(self) -> bool:
        """Whether everything was told to stop."""
        return self._halt.is_set()

    async def stopping(self) -> None:
        """Wait until everything is told to stop."""
        await self._halt.wait()

    @contextmanager
    def until(self, stop: asyncio.Event | None) -> Iterator[None]:
        """Inside, everything is stopped when `stop` is set, and expires when the time is up."""
        loop = asyncio.get_running_loop()
        watcher = None if stop is None else loop.create_task(self._stop_when(stop))
        remaining = self.remaining
        timer = None if remaining is None else loop.call_later(remaining, self.expire)
        try:
            yield
        finally:
            if watcher is not None:
                watcher.cancel()
            if timer is not None:
                timer.cancel()

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The work's result, or None when everything is told to stop first."""
        task = asyncio.ensure_future(work)
        halt = asyncio.ensure_future(self.stopping())
        try:
            await asyncio.wait((task, halt), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            halt.cancel()

    def reasoning_over(self) -> bool:
        """Whether it is time to close the reasoning and state the answer."""
        late = self._seconds is not None and self.elapsed >= REASONING_SHARE * self._seconds
        spent = self._tokens is not None and self.spent_tokens >= REASONING_SHARE * self._tokens
        return late or spent or self.stopped

    def track(self, generation: Generation) -> None:
        """Count a generation in, so that `stop` reaches it."""
        self._running.add(generation)
        if self.stopped:
            generation.cancel()

    def write(self, count: int = 1) -> None:
        """The policy wrote tokens."""
        self.written_tokens += count
        self._limit()

    def branch(self, decoded: int) -> None:
        """The policy was asked for all that may follow a token; `decoded` were read for it, the
        last of them as if it had been written."""
        self.decoded_tokens += max(0, decoded - 1)
        self.write()

    def place(self, count: int) -> None:
        """Tokens were put into a path that the policy did not write there."""
        self.placed_tokens += count
        self._limit()

    def read_value(self, total: int) -> None:
        """The value model has read so many tokens in all."""
        self._scored = total
        self._limit()

    def judge(self, count: int) -> bool:
        """Charge for tokens the policy is to read to judge, not to write; False, and no charge,
        when that would cut into what is kept for the answers."""
        if self._tokens is not None and self.spent_tokens + count > REASONING_SHARE * self._tokens:
            return False
        self._judged += count
        return not self.stopped

    def settle(self, generation: Generation, unread: int) -> None:
        """Count a generation out; `unread` of its prompt's tokens had never been read before,
        because an earlier round wrote them last."""
        self._running.discard(generation)
        self.decoded_tokens += max(0, generation.decoded_tokens - unread)

    def stop(self) -> None:
        """End every running generation with what there is."""
        self._halt.set()
        for generation in list(self._running):
            generation.cancel()

    def expire(self) -> None:
        """Stop because a limit is reached."""
        self.exhausted = self.exhausted or not self.stopped
        self.stop()

    def usage(self, *, prompt: int, reasoning: int, answer: int) -> Usage:
        """The account, for a chosen path of so many tokens."""
        seconds = self.elapsed
        return Usage(
            prompt_tokens=prompt,
            decoded_tokens=self.decoded_tokens,
            completion_tokens=self.written_tokens,
            reasoning_tokens=reasoning,
            answer_tokens=answer,
            tool_tokens=self.placed_tokens,
            value_tokens=self.value_tokens,
            wasted_tokens=self.written_tokens + self.placed_tokens - reasoning - answer,
            tool_calls=self.tool_calls,
            seconds=seconds,
            tokens_per_second=self.written_tokens / seconds if seconds > 0 else 0.0,
        )

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.stop()

    def _limit(self) -> None:
        if self._tokens is not None and self.spent_tokens >= self._tokens and not self.stopped:
            self.expire()
