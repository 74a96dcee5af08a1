"""The way back from the worker thread: few wake-ups of the event loop, whatever is made."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from reasoner.engine.request import Item
from reasoner.engine.token import Token

__all__ = ["Mailbox"]


HOLD, MOST = 0.1, 4
"""Seconds for which tokens may wait for the next ones, and how many may: a reader sees text come
evenly, and who counts tokens is never far behind."""


class Mailbox:
    """Holds items for the queues of event loops until `flush` sends them off.

    Waking a loop takes a core from the threads that decode, which then wait for each other, and
    makes the loop's thread compete for the interpreter. So a few tokens go out together; whatever
    ends a request goes out at once, with all that waited.
    """

    def __init__(self) -> None:
        self._sent = 0.0
        self._urgent = False
        self._count = 0
        self._held: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Queue[Item], Item]]] = {}

    def into(self, queue: "asyncio.Queue[Item]") -> Callable[[Item], None]:
        """A function for the worker thread that posts an item to a queue of the running loop."""
        loop = asyncio.get_running_loop()

        def emit(item: Item) -> None:
            self._urgent = self._urgent or not isinstance(item, Token)
            self._count += 1
            self._held.setdefault(loop, []).append((queue, item))

        return emit

    def flush(self) -> None:
        """Deliver what is held, in order, if it is time; called by the worker thread."""
        now = monotonic()
        if not self._urgent and self._count < MOST and now - self._sent < HOLD:
            return
        self._sent, self._urgent, self._count = now, False, 0
        while self._held:
            loop, items = self._held.popitem()
            with suppress(RuntimeError):  # a closed loop has nobody left to tell
                loop.call_soon_threadsafe(_deliver, items)


def _deliver(items: "list[tuple[asyncio.Queue[Item], Item]]") -> None:
    for queue, item in items:
        queue.put_nowait(item)
