"""Work on many things at once, taking them in only as fast as they are done."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["each"]

T = TypeVar("T")
R = TypeVar("R")
WINDOW = 4
"""Times `at_once`: things taken in whose results have not been fetched yet."""


async def each(
    source: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    at_once: int,
    *,
    in_order: bool = True,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[R, None]:
    """What `work` makes of each thing, in the source's order or as it is finished.

    The source is read in a thread of its own that nobody waits for: whoever writes the other end
    of a pipe may take his time, and we must be able to leave. What the source or the work raises
    is raised here. Once `stop` is set nothing more is taken in, and what is at work is waited
    for.
    """
    flow = _Flow(work, at_once, in_order)
    threading.Thread(target=flow.read, args=(source,), name="reasoner-items", daemon=True).start()
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
    """The tasks at work, and the queue their results are fetched from."""

    def __init__(self, work: Callable[[T], Awaitable[R]], at_once: int, in_order: bool) -> None:
        self._work, self._in_order = work, in_order
        self._gate = asyncio.Semaphore(at_once)
        self.window = threading.Semaphore(at_once * WINDOW)
        self.queue: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
        self.error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[R]] = set()
        self._closed = False

    def read(self, source: Iterable[T]) -> None:
        """Feed the loop from another thread."""
        with suppress(RuntimeError):  # the loop is gone: nobody wants more
            try:
                for thing in source:
                    self.window.acquire()
                    if self._closed:
                        return
                    self._loop.call_soon_threadsafe(self._take, thing)
            except Exception as error:
                self.error = error
            self._loop.call_soon_threadsafe(self.end)

    def _take(self, thing: T) -> None:
        if self._closed:
            return
        task = asyncio.ensure_future(self._gated(thing))
        self._tasks.add(task)
        if self._in_order:
            self.queue.put_nowait(task)
        task.add_done_callback(self._done)

    async def _gated(self, thing: T) -> R:
        async with self._gate:
            return await self._work(thing)

    def _done(self, task: "asyncio.Task[R]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at; after the first one nobody fetches the others
        if not self._in_order:
            self.queue.put_nowait(task)
        if self._closed and not self._tasks:
            self.queue.put_nowait(None)

    def end(self) -> None:
        """No more is taken in; when all that is at work is done, say so."""
        self._closed = True
        if not self._tasks:
            self.queue.put_nowait(None)

    async def end_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.end()

    async def close(self) -> None:
        """Take nothing more in, and wait until what is at work has let go."""
        self._closed = True
        self.window.release()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
