"""A bounded asynchronous map: work on several items at once, read no faster than they finish."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["bounded_map"]

T = TypeVar("T")
R = TypeVar("R")
WINDOW_FACTOR = 4
"""Times `at_once`: the maximum of items read whose results have not been fetched yet."""


async def bounded_map(
    source: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    max_concurrency: int,
    *,
    in_order: bool = True,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[R, None]:
    """Yield `work(item)` for each item of the source, in its order or as the results arrive.

    At most `at_once` items are worked on at a time. The source is read in a daemon thread that
    nothing waits for, because reading may block for ever, as on a pipe. Once `stop` is set no more
    items are started, and those being worked on are finished. Raises what the source or the work
    raises.
    """
    flow = _Flow(work, max_concurrency, in_order)
    threading.Thread(
        target=flow.read_source, args=(source,), name="reasoner-items", daemon=True
    ).start()
    stopper = None if stop is None else asyncio.ensure_future(flow.end_when(stop))
    try:
        while (task := await flow.queue.get()) is not None:
            yield await task
            flow.window.release()
        if flow.error is not None:
            raise flow.error
    finally:
        await flow.close()
        if stopper is not None:
            stopper.cancel()


class _Flow(Generic[T, R]):
    """The running tasks, and the queue from which their results are fetched."""

    def __init__(self, work: Callable[[T], Awaitable[R]], at_once: int, in_order: bool) -> None:
        self._work, self._in_order = work, in_order
        self._gate = asyncio.Semaphore(at_once)
        self.window = threading.Semaphore(at_once * WINDOW_FACTOR)
        self.queue: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
        self.error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[R]] = set()
        self._closed = False

    def read_source(self, source: Iterable[T]) -> None:
        """Pass the items to the event loop from another thread."""
        with suppress(RuntimeError):  # the loop is closed
            try:
                for item in source:
                    self.window.acquire()
                    if self._closed:
                        return
                    self._loop.call_soon_threadsafe(self._start, item)
            except Exception as error:
                self.error = error
            self._loop.call_soon_threadsafe(self.end)

    def _start(self, item: T) -> None:
        if self._closed:
            return
        task = asyncio.ensure_future(self._work_gated(item))
        self._tasks.add(task)
        if self._in_order:
            self.queue.put_nowait(task)
        task.add_done_callback(self._done)

    async def _work_gated(self, item: T) -> R:
        async with self._gate:
            return await self._work(item)

    def _done(self, task: "asyncio.Task[R]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio would warn: only the first one is raised
        if not self._in_order:
            self.queue.put_nowait(task)
        if self._closed and not self._tasks:
            self.queue.put_nowait(None)

    def end(self) -> None:
        """Start no more items, and end the queue when every running task has finished."""
        self._closed = True
        if not self._tasks:
            self.queue.put_nowait(None)

    async def end_when(self, stop: asyncio.Event) -> None:
        """Call `end` once `stop` is set."""
        await stop.wait()
        self.end()

    async def close(self) -> None:
        """Start no more items, cancel the running tasks and wait for them."""
        self._closed = True
        self.window.release()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
