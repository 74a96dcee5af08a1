"""Calls into code that may never return, made in daemon threads so that the program can still exit.

A thread cannot be stopped from outside, so a call that takes too long goes on in its thread; its
outcome is dropped.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["call_in_thread", "call_with_timeout"]

T = TypeVar("T")


async def call_in_thread(call: Callable[[], object]) -> object:
    """Run a blocking call in a daemon thread and return its result.

    Unlike `asyncio.to_thread`, a call that never returns blocks neither the event loop's shutdown
    nor the process's exit. Raises what the call raises; StopIteration and exceptions outside
    Exception arrive as RuntimeError, because a future cannot hold them.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(result: object, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def deliver(result: object, error: Exception | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    _start_thread(call, deliver)
    return await future


def call_with_timeout(call: Callable[[], T], seconds: float, missing: str = "nothing") -> T:
    """Run a blocking call in a daemon thread and wait at most `seconds` for its result.

    `missing` names what did not arrive in the error's text. Raises TimeoutError when the time is
    up, and what the call raises, as `call_in_thread` does.
    """
    outcomes: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()
    _start_thread(call, lambda result, error: outcomes.put((result, error)))
    try:
        result, error = outcomes.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"{missing} within {seconds:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _start_thread(
    call: Callable[[], T], deliver: Callable[[T | None, Exception | None], None]
) -> None:
    def target() -> None:
        try:
            deliver(call(), None)
        except BaseException as error:  # a future takes neither StopIteration nor SystemExit
            is_plain = isinstance(error, Exception) and not isinstance(error, StopIteration)
            deliver(None, error if is_plain else RuntimeError(repr(error)))  # type: ignore[arg-type]

    threading.Thread(target=target, name="reasoner-patience", daemon=True).start()
