"""The batch's main loop: items in, one record out for each."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing

from reasoner.batch.item import BatchItem
from reasoner.batch.record import BatchRecord
from reasoner.concurrency.bounded_map import bounded_map
from reasoner.errors import ContextFull, EngineError, PromptTooLong, ServerGone
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from reasoner.types.trajectory import FinishReason

__all__ = ["MAX_CONSECUTIVE_FAILURES", "run_batch"]

Solve = Callable[[Problem], Awaitable[Result]]
MAX_CONSECUTIVE_FAILURES = 8
"""Failures of the engine in a row after which the batch ends."""
RETRY_SECONDS = 1.0
"""The pause before an item is tried again. A server that dies still accepts connections for some
milliseconds, and drops them."""


async def run_batch(
    items: Iterable[BatchItem],
    solve: Solve,
    max_concurrency: int,
    *,
    in_order: bool = True,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[BatchRecord, None]:
    """Yield a record for each item, in the items' order or as they finish, `max_concurrency` at a
    time.

    An item that cannot be answered gets a record with the error. Once `stop` is set no more items
    are started, and those that it interrupts get no record. Raises the errors that every item
    would meet: UsageError for a bad setting, ServerGone, and EngineError when the engine fails
    MAX_CONSECUTIVE_FAILURES times in a row.
    """
    worker = _BatchWorker(solve, stop)
    async with aclosing(
        bounded_map(items, worker.answer, max_concurrency, in_order=in_order, stop=stop)
    ) as records:
        async for record in records:
            if record is not None:
                yield record


class _BatchWorker:
    """Answers items and counts the failures in a row."""

    def __init__(self, solve: Solve, stop: asyncio.Event | None) -> None:
        self._solve, self._stop = solve, stop
        self._failures = 0

    @property
    def _stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    async def answer(self, item: BatchItem) -> BatchRecord | None:
        """Return the item's record; None for an item that was not begun, or was interrupted."""
        if item.problem is None:
            return BatchRecord(item, error=item.error)
        if self._stopped:
            return None
        try:
            result = await _solve_with_retry(self._solve, item.problem)
        except (PromptTooLong, ContextFull) as error:
            return BatchRecord(item, error=f"line {item.line}: {error}")
        except ServerGone:
            raise
        except EngineError as error:
            self._count_failure(error)
            return BatchRecord(item, error=f"line {item.line}: {error}")
        self._failures = 0
        interrupted = result.finish_reason is FinishReason.INTERRUPTED
        return None if interrupted and self._stopped else BatchRecord(item, result)

    def _count_failure(self, error: EngineError) -> None:
        self._failures += 1
        if self._failures >= MAX_CONSECUTIVE_FAILURES:
            raise EngineError(
                f"{MAX_CONSECUTIVE_FAILURES} failures in a row, the last: {error}"
            ) from error


async def _solve_with_retry(solve: Solve, problem: Problem) -> Result:
    """Solve a problem, trying once more after a failure of the engine, which may be a server that
    restarts and not the item's fault."""
    try:
        return await solve(problem)
    except (ContextFull, ServerGone):
        raise
    except EngineError:
        await asyncio.sleep(RETRY_SECONDS)
        return await solve(problem)
