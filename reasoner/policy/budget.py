"""The budget of one question: tokens and seconds spent, their limits, and when to stop."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from reasoner.engine.interface import Generation
from reasoner.types.result import Usage

__all__ = ["Budget"]

T = TypeVar("T")

REASONING_SHARE = 0.8
"""The share of each limit that may be spent on reasoning; the rest is reserved for answers."""


class Budget:
    """Counts tokens and seconds for one question, shared by its policy, value model and tools.

    `seconds` limits wall-clock time. `tokens` limits generated, inserted and scored tokens, summed
    over all trajectories. At REASONING_SHARE of either limit, reasoning comes to a soft stop; at
    the limit itself everything that runs is stopped.
    """

    def __init__(self, seconds: float | None = None, tokens: int | None = None) -> None:
        self._start_time = monotonic()
        self._seconds, self._tokens = seconds, tokens
        self._running: set[Generation] = set()
        self._stop_event = asyncio.Event()
        self.is_exhausted = False
        self.decoded_tokens = 0
        self.generated_tokens = 0
        self.inserted_tokens = 0
        self._scoring_tokens = 0
        self._judging_tokens = 0
        self.tool_calls = 0

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the budget was created."""
        return monotonic() - self._start_time

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds until the time limit, at least 0; None without one."""
        return None if self._seconds is None else max(0.0, self._seconds - self.elapsed_seconds)

    @property
    def value_tokens(self) -> int:
        """Tokens read for scoring, by the value model or by the policy as its own judge."""
        return self._scoring_tokens + self._judging_tokens

    @property
    def spent_tokens(self) -> int:
        """Tokens that count against the token limit."""
        return self.generated_tokens + self.inserted_tokens + self.value_tokens

    @property
    def is_stopped(self) -> bool:
        """Whether all work on the question has been stopped."""
        return self._stop_event.is_set()

    async def wait_until_stopped(self) -> None:
        """Wait until all work on the question is stopped."""
        await self._stop_event.wait()

    @contextmanager
    def stop_on(self, stop: asyncio.Event | None) -> Iterator[None]:
        """A context in which all work is stopped by setting `stop` and by the time limit."""
        loop = asyncio.get_running_loop()
        watcher = None if stop is None else loop.create_task(self._stop_when(stop))
        remaining = self.remaining_seconds
        timer = None if remaining is None else loop.call_later(remaining, self.stop_at_limit)
        try:
            yield
        finally:
            if watcher is not None:
                watcher.cancel()
            if timer is not None:
                timer.cancel()

    async def run_unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`; None, with `work` cancelled, when the budget stops first."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self.wait_until_stopped())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stopping.cancel()

    def is_reasoning_over(self) -> bool:
        """Whether reasoning has spent its share of a limit, so that the answer is due."""
        out_of_time = (
            self._seconds is not None and self.elapsed_seconds >= REASONING_SHARE * self._seconds
        )
        out_of_tokens = (
            self._tokens is not None and self.spent_tokens >= REASONING_SHARE * self._tokens
        )
        return out_of_time or out_of_tokens or self.is_stopped

    def track_generation(self, generation: Generation) -> None:
        """Register a running generation, so that `stop` cancels it."""
        self._running.add(generation)
        if self.is_stopped:
            generation.cancel()

    def count_generated(self, count: int = 1) -> None:
        """Count `count` tokens that the policy generated."""
        self.generated_tokens += count
        self._enforce_limit()

    def count_expansion(self, decoded: int) -> None:
        """Count one expansion of a prefix to its likeliest next tokens.

        Of the `decoded` tokens all but the last count as prefilled, the last as generated.
        """
        self.decoded_tokens += max(0, decoded - 1)
        self.count_generated()

    def count_inserted(self, count: int) -> None:
        """Count `count` tokens that were inserted into a trajectory, not generated."""
        self.inserted_tokens += count
        self._enforce_limit()

    def set_scoring_tokens(self, total: int) -> None:
        """Set the number of tokens that the value model has read so far, in total."""
        self._scoring_tokens = total
        self._enforce_limit()

    def try_charge_judging(self, count: int) -> bool:
        """Charge for `count` tokens that the policy will read as its own judge.

        False, without a charge, when it would exceed the reasoning share of the token limit; False
        also when all work is stopped.
        """
        if self._tokens is not None and self.spent_tokens + count > REASONING_SHARE * self._tokens:
            return False
        self._judging_tokens += count
        return not self.is_stopped

    def finish_generation(self, generation: Generation, unread: int) -> None:
        """Unregister a generation and count the prompt tokens that it prefilled.

        `unread` of these were generated by an earlier round and not decoded then, so they do not
        count.
        """
        self._running.discard(generation)
        self.decoded_tokens += max(0, generation.decoded_tokens - unread)

    def stop_all(self) -> None:
        """Stop all work: every running generation ends with the tokens it has."""
        self._stop_event.set()
        for generation in list(self._running):
            generation.cancel()

    def stop_at_limit(self) -> None:
        """Stop all work because a limit is reached."""
        self.is_exhausted = self.is_exhausted or not self.is_stopped
        self.stop_all()

    def usage(self, *, prompt_tokens: int, reasoning_tokens: int, answer_tokens: int) -> Usage:
        """The usage, where the chosen candidate has so many prompt, reasoning and answer tokens."""
        seconds = self.elapsed_seconds
        return Usage(
            prompt_tokens=prompt_tokens,
            decoded_tokens=self.decoded_tokens,
            completion_tokens=self.generated_tokens,
            reasoning_tokens=reasoning_tokens,
            answer_tokens=answer_tokens,
            tool_tokens=self.inserted_tokens,
            value_tokens=self.value_tokens,
            wasted_tokens=self.generated_tokens
            + self.inserted_tokens
            - reasoning_tokens
            - answer_tokens,
            tool_calls=self.tool_calls,
            seconds=seconds,
            tokens_per_second=self.generated_tokens / seconds if seconds > 0 else 0.0,
        )

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.stop_all()

    def _enforce_limit(self) -> None:
        if self._tokens is not None and self.spent_tokens >= self._tokens and not self.is_stopped:
            self.stop_at_limit()
