"""The way back from the worker thread: one wake-up of the event loop for all that a tick made."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from reasoner.engine.request import Item

__all__ = ["Mailbox"]


class Mailbox:
    """Holds items for the queues of event loops until `flush` sends them off.

    Waking a loop for every single token costs a system call each and makes the loop's thread
    compete for the interpreter while the other tokens are still being drawn.
    """

    def __init__(self) -> None:
        self._held: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Queue[Item], Item]]] = {}

    def into(self, queue: "asyncio.Queue[Item]") -> Callable[[Item], None]:
        """A function for the worker thread that posts an item to a queue of the running loop."""
        loop = asyncio.get_running_loop()

        def emit(item: Item) -> None:
            self._held.setdefault(loop, []).append((queue, item))

        return emit

    def flush(self) -> None:
        """Deliver what is held, in order; called by the worker thread."""
        while self._held:
            loop, items = self._held.popitem()
            with suppress(RuntimeError):  # a closed loop has nobody left to tell
                loop.call_soon_threadsafe(_deliver, items)


def _deliver(items: "list[tuple[asyncio.Queue[Item], Item]]") -> None:
    for queue, item in items:
        queue.put_nowait(item)
