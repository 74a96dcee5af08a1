"""Carries tokens from the worker thread to the event loops with few wake-ups."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from reasoner.engine.local.request import RequestOutput
from reasoner.engine.token import Token

__all__ = ["OutputQueue"]


MAX_DELAY_SECONDS, MAX_PENDING_TOKENS = 0.1, 4
"""Seconds for which tokens may be delayed, and how many tokens may be pending."""


class OutputQueue:
    """Collects items for asyncio queues until `flush` delivers them.

    Waking an event loop takes a core and the interpreter lock from the decoding threads, so tokens
    are delivered a few at a time. An item that ends a request is delivered at once, together with
    all pending ones.
    """

    def __init__(self) -> None:
        self._last_flush = 0.0
        self._urgent = False
        self._count = 0
        self._pending: dict[
            asyncio.AbstractEventLoop, list[tuple[asyncio.Queue[RequestOutput], RequestOutput]]
        ] = {}

    def emitter(self, queue: "asyncio.Queue[RequestOutput]") -> Callable[[RequestOutput], None]:
        """Return a function for the worker thread that adds items to a queue of the running event
        loop."""
        loop = asyncio.get_running_loop()

        def emit(item: RequestOutput) -> None:
            self._urgent = self._urgent or not isinstance(item, Token)
            self._count += 1
            self._pending.setdefault(loop, []).append((queue, item))

        return emit

    def flush(self) -> None:
        """Deliver the pending items in order if they are due; called by the worker thread."""
        now = monotonic()
        if (
            not self._urgent
            and self._count < MAX_PENDING_TOKENS
            and now - self._last_flush < MAX_DELAY_SECONDS
        ):
            return
        self._last_flush, self._urgent, self._count = now, False, 0
        while self._pending:
            loop, items = self._pending.popitem()
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(_put_items, items)


def _put_items(items: "list[tuple[asyncio.Queue[RequestOutput], RequestOutput]]") -> None:
    for queue, item in items:
        queue.put_nowait(item)
