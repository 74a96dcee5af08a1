"""JSON Lines in, JSON Lines out: one object a line, in order, as they come.

A line that cannot be used becomes an object with `error`; it never stops the run.
"""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

__all__ = ["Row", "each_row", "read_row"]

Row = dict[str, Any]
LARGEST = 16 * 2**20
"""Bytes of one line."""
AT_ONCE = 4
CHUNK = 2**16


async def each_row(
    descriptor: int, work: Callable[[bytes, int], Awaitable[Row]]
) -> AsyncIterator[Row]:
    """What `work` makes of each line and its number, in order, a few at once.

    Lines are read in a thread of their own that nobody waits for: whoever writes the other end of
    the pipe may take his time, and we must be able to leave.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[asyncio.Task[Row] | None] = asyncio.Queue(AT_ONCE)

    async def put(line: bytes | None, number: int) -> None:
        task = None if line is None else asyncio.ensure_future(work(line, number))
        await queue.put(task)

    def read() -> None:
        try:
            for number, line in enumerate(_lines(descriptor), 1):
                if line.strip():
                    asyncio.run_coroutine_threadsafe(put(line, number), loop).result()
            asyncio.run_coroutine_threadsafe(put(None, 0), loop).result()
        except (RuntimeError, asyncio.CancelledError):  # the loop is gone: nobody wants more
            return

    threading.Thread(target=read, name="reasoner-lines", daemon=True).start()
    while (task := await queue.get()) is not None:
        yield await task


def _lines(descriptor: int) -> Iterator[bytes]:
    """Line by line; of one that is too long only so much that it is seen to be.

    From the descriptor, because the lock of a stream that is being read would keep us from
    leaving.
    """
    rest = b""
    while chunk := os.read(descriptor, CHUNK):
        *whole, rest = (rest[: LARGEST + 1] + chunk).split(b"\n")
        yield from whole
    yield rest


def read_row(line: bytes) -> Row:
    """The object that a line holds. Raises ValueError with a reason."""
    if len(line) > LARGEST:
        raise ValueError(f"longer than {LARGEST // 2**20} MB")
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__}, not an object")
    return row
