"""A completion sent while it is generated, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from reasoner.serve.guard import ClientDisconnected, cancel_on_disconnect
from reasoner.serve.reply import CompletionReply, to_request_error
from reasoner.serve.request import ChatRequest
from reasoner.solver.wire import COMPLETION_ID_HEADER
from reasoner.types.events import Event
from reasoner.types.result import Result

__all__ = ["CompletionStream"]

Solve = Callable[[Callable[[Event], None]], Coroutine[Any, Any, Result]]
HEARTBEAT_SECONDS = 10.0
"""Seconds without an event after which a comment keeps the connection alive."""
MAX_START_SECONDS = 2.0
"""How long the response's status waits for the first event, because an error before it can still be
sent as a status."""


class CompletionStream(StreamingResponse):
    """A response that works on the question from its construction on; a disconnect cancels the
    work."""

    def __init__(self, request: ChatRequest, reply: CompletionReply, solve: Solve) -> None:
        headers = {
            "cache-control": "no-cache",
            "x-accel-buffering": "no",
            COMPLETION_ID_HEADER: reply.id,
        }
        super().__init__(self._messages(), headers=headers, media_type="text/event-stream")
        self._request, self._reply = request, reply
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._has_begun = asyncio.Event()
        self._work = asyncio.ensure_future(solve(self._put))
        self._work.add_done_callback(lambda _work: self._put(None))

    async def begin(self) -> "CompletionStream":
        """Wait for the first event and return the response itself. Raises the work's error when it
        fails before."""
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_begun.wait(), MAX_START_SECONDS)
        except asyncio.CancelledError:
            self._work.cancel()
            raise
        if self._work.done() and (error := self._work.exception()):
            raise error
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(ClientDisconnected):
                await cancel_on_disconnect(receive, self.stream_response(send))
        finally:
            self._work.cancel()

    def _put(self, event: Event | None) -> None:
        self._events.put_nowait(event)
        if event is None or event.kind != "start":
            self._has_begun.set()

    async def _messages(self) -> AsyncIterator[bytes]:
        if not self._request.reasoner.events:
            yield _line(self._reply.first_chunk())
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    event = await self._events.get()
            except TimeoutError:
                yield b": working\n\n"
                continue
            if event is None:
                break
            if message := self._message(event):
                yield message
        for message in self._end():
            yield message
        yield b"data: [DONE]\n\n"

    def _message(self, event: Event) -> bytes | None:
        if self._request.reasoner.events:
            return b"data: " + event.model_dump_json().encode() + b"\n\n"
        if event.kind == "start":
            self._reply.live = event.live
        chunk = self._reply.text_chunk(event) if event.kind == "text" else None
        return _line(chunk) if chunk else None

    def _end(self) -> list[bytes]:
        if self._work.cancelled():
            return []
        if error := self._work.exception():
            return [_line(to_request_error(error).body())]
        if self._request.reasoner.events:
            return []
        chunks = self._reply.last_chunks(self._work.result())
        options = self._request.stream_options
        if options is not None and options.include_usage:
            chunks.append(self._reply.usage_chunk(self._work.result()))
        return [_line(chunk) for chunk in chunks]


def _line(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode(errors="replace") + b"\n\n"
