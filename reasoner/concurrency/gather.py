"""Concurrent coroutines with clean cancellation; their engine requests share batches."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

__all__ = ["completed_on_demand", "gather_all"]

T = TypeVar("T")


async def gather_all(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results, in order. The first exception cancels the other coroutines and is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _cancel_all(tasks)


async def completed_on_demand(
    start: Callable[[], Coroutine[Any, Any, T]], wants_more: Callable[[int], bool]
) -> AsyncGenerator[T, None]:
    """Results in the order of completion, from coroutines that are started on demand.

    `wants_more(running)` decides whether `start` is called for another coroutine beside those that
    run. Closing the iterator (`contextlib.aclosing`) cancels the running ones, which frees their
    sequences at once. An exception of a coroutine is raised from the iterator.
    """
    tasks: set[asyncio.Task[T]] = set()
    try:
        while True:
            while wants_more(len(tasks)):
                tasks.add(asyncio.ensure_future(start()))
            if not tasks:
                return
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        await _cancel_all(tasks)


async def _cancel_all(tasks: Iterable["asyncio.Task[T]"]) -> None:
    """Cancel the unfinished tasks and wait until they have ended."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
