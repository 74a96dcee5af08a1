"""Calls into code that may never return: in daemon threads, which do not keep the program alive."""

import asyncio
import queue
import threading
from collections.abc import Callable

__all__ = ["in_thread", "within"]


async def in_thread(call: Callable[[], object]) -> object:
    """Like `asyncio.to_thread`, but a call that never returns holds nobody up."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(result: object, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def report(result: object, error: Exception | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    _start(call, report)
    return await future


def within(call: Callable[[], object], seconds: float) -> object:
    """What `call` returns; TimeoutError when it has not by then. It goes on in its thread."""
    box: queue.SimpleQueue[tuple[object, Exception | None]] = queue.SimpleQueue()
    _start(call, lambda result, error: box.put((result, error)))
    try:
        result, error = box.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"nothing within {seconds:g} s") from None
    if error is not None:
        raise error
    return result


def _start(call: Callable[[], object], report: Callable[[object, Exception | None], None]) -> None:
    def run() -> None:
        try:
            report(call(), None)
        except BaseException as error:  # a future takes neither StopIteration nor SystemExit
            odd = isinstance(error, StopIteration) or not isinstance(error, Exception)
            report(None, RuntimeError(repr(error)) if odd else error)  # type: ignore[arg-type]

    threading.Thread(target=run, name="reasoner-patience", daemon=True).start()
