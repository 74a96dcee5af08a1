"""A completion sent while it is written, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from reasoner.events import Event
from reasoner.result import Result
from reasoner.serve.guard import Gone, unless_gone
from reasoner.serve.reply import NAME, Reply, failure
from reasoner.serve.request import ChatRequest

__all__ = ["EventStream"]

Solve = Callable[[Callable[[Event], None]], Coroutine[Any, Any, Result]]
HEARTBEAT = 10.0
"""Seconds of silence after which a comment keeps the connection alive."""
PATIENCE = 2.0
"""Seconds the first words are waited for, because until then an error can have its own status."""


class EventStream(StreamingResponse):
    """Works on the question from the moment it is made; leaving cancels the work."""

    def __init__(self, asked: ChatRequest, reply: Reply, solve: Solve) -> None:
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no", NAME: reply.id}
        super().__init__(self._pieces(), headers=headers, media_type="text/event-stream")
        self._asked, self._reply = asked, reply
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self._work = asyncio.ensure_future(solve(self._tell))
        self._work.add_done_callback(lambda _work: self._tell(None))

    async def begin(self) -> "EventStream":
        """Itself, once it is known that it will not fail at once. Raises what failed at once."""
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._begun.wait(), PATIENCE)
        except asyncio.CancelledError:
            self._work.cancel()
            raise
        if self._work.done() and (error := self._work.exception()):
            raise error
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(Gone):
                await unless_gone(receive, self.stream_response(send))
        finally:
            self._work.cancel()

    def _tell(self, event: Event | None) -> None:
        self._events.put_nowait(event)
        if event is None or event.kind != "start":
            self._begun.set()

    async def _pieces(self) -> AsyncIterator[bytes]:
        if not self._asked.reasoner.events:
            yield _line(self._reply.begin())
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    event = await self._events.get()
            except TimeoutError:
                yield b": working\n\n"
                continue
            if event is None:
                break
            if piece := self._piece(event):
                yield piece
        for piece in self._end():
            yield piece
        yield b"data: [DONE]\n\n"

    def _piece(self, event: Event) -> bytes | None:
        if self._asked.reasoner.events:
            return b"data: " + event.model_dump_json().encode() + b"\n\n"
        if event.kind == "start":
            self._reply.live = event.live
        chunk = self._reply.text(event) if event.kind == "text" else None
        return _line(chunk) if chunk else None

    def _end(self) -> list[bytes]:
        if self._work.cancelled():
            return []
        if error := self._work.exception():
            return [_line(failure(error).body())]
        if self._asked.reasoner.events:
            return []
        chunks = self._reply.end(self._work.result())
        wanted = self._asked.stream_options
        if wanted is not None and wanted.include_usage:
            chunks.append(self._reply.account(self._work.result()))
        return [_line(chunk) for chunk in chunks]


def _line(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode(errors="replace") + b"\n\n"
