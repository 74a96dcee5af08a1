"""The batch itself: items in, one record for each out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing

from reasoner.batch.flow import each
from reasoner.batch.item import Item
from reasoner.batch.record import Record
from reasoner.errors import ContextFull, EngineError, PromptTooLong, ServerGone
from reasoner.path import FinishReason
from reasoner.problem import Problem
from reasoner.result import Result

__all__ = ["PATIENCE", "run"]

Solve = Callable[[Problem], Awaitable[Result]]
PATIENCE = 8
"""Failures of the engine in a row after which it will not recover."""
PAUSE = 1.0
"""Seconds before an item is tried once more. A server that dies still takes connections for some
milliseconds, and breaks them off."""


async def run(
    items: Iterable[Item],
    solve: Solve,
    at_once: int,
    *,
    in_order: bool = True,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Record, None]:
    """A record for each item, in the items' order or as they are finished, `at_once` at work.

    An item that cannot be answered gets a record with the error. Once `stop` is set no more is
    begun, and what was interrupted by it gets no record. Raises what would fail every item alike:
    a bad setting, a server that is gone, an engine that fails again and again.
    """
    failed = 0

    async def answer(item: Item) -> Record | None:
        nonlocal failed
        if item.problem is None:
            return Record(item, error=item.error)
        if stop is not None and stop.is_set():
            return None
        try:
            result = await _twice(solve, item.problem)
        except (PromptTooLong, ContextFull) as error:
            return Record(item, error=f"line {item.line}: {error}")
        except ServerGone:
            raise
        except EngineError as error:
            failed += 1
            if failed >= PATIENCE:
                raise EngineError(f"{PATIENCE} failures in a row, the last: {error}") from error
            return Record(item, error=f"line {item.line}: {error}")
        failed = 0
        interrupted = result.finish_reason is FinishReason.INTERRUPTED
        return None if interrupted and stop and stop.is_set() else Record(item, result)

    async with aclosing(each(items, answer, at_once, in_order=in_order, stop=stop)) as records:
        async for record in records:
            if record is not None:
                yield record


async def _twice(solve: Solve, problem: Problem) -> Result:
    """Once more after a failure of the engine: a server that broke off may be gone, which is no
    fault of the item, or back."""
    try:
        return await solve(problem)
    except (ContextFull, ServerGone):
        raise
    except EngineError:
        await asyncio.sleep(PAUSE)
        return await solve(problem)
