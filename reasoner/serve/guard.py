"""What stands before every handler: who may ask, how much he may send, and how errors look."""

import asyncio
import hmac
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from reasoner.serve.reply import Failure, failure

__all__ = ["LARGEST", "Gone", "Guard", "read_json", "unless_gone"]

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
LARGEST = 4 * 2**20
"""Bytes of a request's body."""
DRAINED = 16 * LARGEST
"""Bytes that are read of a larger one, and dropped: whoever is cut off while he still sends would
not get to read why."""
SLOWEST = 30.0
"""Seconds that sending a request's body may take."""
LOCAL = ("localhost", "127.0.0.1", "[::1]")


class Gone(Exception):
    """The client has left; nobody wants an answer any more."""


class Guard:
    """Wraps handlers. With a `key` it is asked for; without one only requests that name this
    machine are answered, so that no web page can reach the server under a name of its own."""

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else key.encode()

    def __call__(self, handler: Handler, *, open_: bool = False) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                if not open_:
                    self._admit(request)
                return await handler(request)
            except (Gone, ClientDisconnect):
                return Response(status_code=499)  # nobody reads it
            except Exception as error:
                return refuse(error)

        return guarded

    def _admit(self, request: Request) -> None:
        """Raises Failure."""
        if self._key is None:
            host = request.headers.get("host", "").rpartition("@")[2]
            name = host.rpartition(":")[0] if host[-1:].isdigit() and ":" in host else host
            if name.lower() not in LOCAL:
                raise Failure(403, "without a key this server answers to localhost only")
            return
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode(errors="replace"), self._key):
            raise Failure(401, "a wrong key, or none (Authorization: Bearer …)", "invalid_api_key")


def refuse(error: Exception) -> JSONResponse:
    """The error as a response; what was not expected is also told to who runs the server."""
    told = failure(error)
    if told.status == 500:
        print(f"reasoner: {type(error).__name__}: {error}"[:500], file=sys.stderr, flush=True)
    headers = {429: {"retry-after": "2"}, 413: {"connection": "close"}}.get(told.status)
    return JSONResponse(told.body(), told.status, headers)


async def read_json(request: Request) -> Any:
    """The body's JSON. Raises Failure for one that is too large, too slow or none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which a web page cannot send here without asking first
        raise Failure(415, "the content-type must be application/json")
    import json

    body = await _body(request)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failure(400, f"the body is not JSON: {type(error).__name__}") from None


async def _body(request: Request) -> bytes:
    large = Failure(413, f"the body is larger than {LARGEST // 2**20} MB")
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > DRAINED:
        raise large
    chunks, size = [], 0
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= LARGEST:
                    chunks.append(chunk)
                elif size > DRAINED:
                    raise large
    except TimeoutError:
        raise Failure(408, f"the body did not come within {SLOWEST:.0f} s") from None
    if size > LARGEST:
        raise large
    return b"".join(chunks)


async def unless_gone(receive: Callable[[], Awaitable[Any]], work: Coroutine[Any, Any, T]) -> T:
    """The work's outcome; it is cancelled, and Gone raised, when the client leaves before."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        gone.cancel()
        task.cancel()


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
