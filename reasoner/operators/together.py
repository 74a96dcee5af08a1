"""Work side by side: what the engine is asked for at once, it decodes in one batch."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

__all__ = ["as_drawn", "together"]

T = TypeVar("T")


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results, in order. The first error cancels the rest and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _end(tasks)


async def as_drawn(
    draw: Callable[[], Coroutine[Any, Any, T]], more: Callable[[int], bool]
) -> AsyncGenerator[T, None]:
    """Results as they come; `more(running)` says whether to start another beside those running.

    Close the iterator (`contextlib.aclosing`) to cancel what still runs; that frees its
    sequences at once.
    """
    tasks: set[asyncio.Task[T]] = set()
    try:
        while True:
            while more(len(tasks)):
                tasks.add(asyncio.ensure_future(draw()))
            if not tasks:
                return
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        await _end(tasks)


async def _end(tasks: Iterable["asyncio.Task[T]"]) -> None:
    """Cancel what is not done, and wait until it has let go."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
