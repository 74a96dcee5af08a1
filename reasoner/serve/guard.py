"""The checks before every handler: access, the size of the body, and errors as responses."""

import asyncio
import hmac
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from reasoner.serve.reply import RequestError, to_request_error

__all__ = [
    "MAX_BODY_BYTES",
    "AccessGuard",
    "ClientDisconnected",
    "cancel_on_disconnect",
    "read_json_body",
]

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
MAX_BODY_BYTES = 4 * 2**20
"""The maximum size of a request's body in bytes."""
MAX_DISCARDED_BYTES = 16 * MAX_BODY_BYTES
"""Bytes of a larger body that are read and discarded: a client that is cut off while it still sends
would not read the error."""
BODY_SECONDS = 30.0
"""How long sending a request's body may take."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class ClientDisconnected(Exception):
    """The client has disconnected, so that the answer is no longer needed."""


class AccessGuard:
    """Wraps handlers with access control. With a `key` every request must have it; without one only
    requests whose Host is this machine are answered, so that no web page can reach the server under
    a host name of its own (DNS rebinding). `is_public` handlers are not protected."""

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else key.encode()

    def __call__(self, handler: Handler, *, is_public: bool = False) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                if not is_public:
                    self._admit(request)
                return await handler(request)
            except (ClientDisconnected, ClientDisconnect):
                return Response(status_code=499)  # the client has gone
            except Exception as error:
                return error_response(error)

        return guarded

    def _admit(self, request: Request) -> None:
        """Raises RequestError for a request without access."""
        if self._key is None:
            host = request.headers.get("host", "").rpartition("@")[2]
            name = host.rpartition(":")[0] if host[-1:].isdigit() and ":" in host else host
            if name.lower() not in LOCAL_HOSTS:
                raise RequestError(403, "without a key this server answers to localhost only")
            return
        key = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(key.encode(errors="replace"), self._key):
            raise RequestError(
                401, "a wrong key, or none (Authorization: Bearer …)", "invalid_api_key"
            )


def error_response(error: Exception) -> JSONResponse:
    """The error as a response; unexpected errors are also printed to the server's stderr."""
    reply = to_request_error(error)
    if reply.status == 500:
        print(f"reasoner: {type(error).__name__}: {error}"[:500], file=sys.stderr, flush=True)
    headers = {429: {"retry-after": "2"}, 413: {"connection": "close"}}.get(reply.status)
    return JSONResponse(reply.body(), reply.status, headers)


async def read_json_body(request: Request) -> Any:
    """Read the body as JSON. Raises RequestError for a body that is too large, too slow or not
    JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":  # web pages cannot send it without a CORS preflight
        raise RequestError(415, "the content-type must be application/json")
    body = await _body(request)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {type(error).__name__}") from None


async def _body(request: Request) -> bytes:
    too_large = RequestError(413, f"the body is larger than {MAX_BODY_BYTES // 2**20} MB")
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MAX_DISCARDED_BYTES:
        raise too_large
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MAX_BODY_BYTES:
                    chunks.append(chunk)
                elif size > MAX_DISCARDED_BYTES:
                    raise too_large
    except TimeoutError:
        raise RequestError(408, f"the body did not come within {BODY_SECONDS:.0f} s") from None
    if size > MAX_BODY_BYTES:
        raise too_large
    return b"".join(chunks)


async def cancel_on_disconnect(
    receive: Callable[[], Awaitable[Any]], work: Coroutine[Any, Any, T]
) -> T:
    """Await `work` and return its result. Raises what the work raises, and ClientDisconnected when
    the client disconnects first; the work is cancelled then."""
    task = asyncio.ensure_future(work)
    disconnect = asyncio.ensure_future(_wait_for_disconnect(receive))
    try:
        await asyncio.wait((task, disconnect), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnected
        return task.result()
    finally:
        disconnect.cancel()
        task.cancel()


async def _wait_for_disconnect(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
