"""The server's routes: chat completions by one loaded solver, models, health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reasoner.serve.guard import AccessGuard, cancel_on_disconnect, error_response, read_json_body
from reasoner.serve.reply import CompletionReply, RequestError
from reasoner.serve.request import ChatRequest
from reasoner.serve.stream import CompletionStream
from reasoner.settings import Settings, explain
from reasoner.solver.interface import Solver
from reasoner.types.events import OnEvent
from reasoner.types.result import Result

__all__ = ["CompletionService"]

ANY_MODEL = "default"
"""The model name that stands for the loaded model."""


class CompletionService:
    """The server; `app` is its ASGI application. `max_concurrency` questions are worked on at a
    time and `max_waiting` more may wait; further ones are refused with status 429."""

    def __init__(
        self,
        solver: Solver,
        settings: Settings,
        key: str | None,
        *,
        max_concurrency: int,
        max_waiting: int,
    ) -> None:
        self._solver, self._settings = solver, settings
        self._gate, self._max_running = (
            asyncio.Semaphore(max_concurrency),
            max_concurrency + max_waiting,
        )
        self._running: dict[str, asyncio.Event] = {}
        self._stopping = False
        guard = AccessGuard(key)
        completions = "/v1/chat/completions"
        routes = [
            Route(completions, guard(self._complete), methods=["POST"]),
            Route(completions + "/{id}/cancel", guard(self._cancel), methods=["POST"]),
            Route("/v1/models", guard(self._models)),
            Route("/v1/models/{id:path}", guard(self._model)),
            Route("/health", guard(self._health, is_public=True)),
        ]
        self.app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})

    def stop(self) -> None:
        """End every question with the best answer so far, and refuse new ones."""
        self._stopping = True
        for stop in self._running.values():
            stop.set()

    async def _complete(self, request: Request) -> Response:
        body = _parse(await read_json_body(request))
        if body.model not in (ANY_MODEL, self._settings.model):
            raise self._unknown(body.model)
        settings = body.settings(self._settings)
        reply = CompletionReply(self._settings.model)
        if body.stream:
            solve = partial(self._solve, body, settings, reply)
            return await CompletionStream(body, reply, solve).begin()
        work = self._solve(body, settings, reply, lambda _event: None)
        result = await cancel_on_disconnect(request.receive, work)
        return JSONResponse(reply.completion(result))

    async def _solve(
        self, body: ChatRequest, settings: Settings, reply: CompletionReply, on_event: OnEvent
    ) -> Result:
        async with self._slot(reply.id) as stop:
            problem = body.problem(self._settings.system)
            return await self._solver.solve(
                problem, settings=settings, on_event=on_event, stop=stop
            )

    @asynccontextmanager
    async def _slot(self, name: str) -> AsyncIterator[asyncio.Event]:
        """Wait for a slot and yield the event that stops its question. Raises RequestError when the
        server is full or stopping."""
        self._check_running()
        if len(self._running) >= self._max_running:
            raise RequestError(429, "too many questions at once; try again shortly", "overloaded")
        stop = self._running[name] = asyncio.Event()
        try:
            async with self._gate:
                yield stop
        finally:
            del self._running[name]

    def _check_running(self) -> None:
        if self._stopping:
            raise RequestError(503, "the server is stopping", "stopping")

    async def _cancel(self, request: Request) -> Response:
        """End a running completion with the best answer so far."""
        name = request.path_params["id"]
        if name not in self._running:
            raise RequestError(404, "no such completion is running")
        self._running[name].set()
        return JSONResponse({"id": name, "cancelled": True})

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._model_card()]})

    async def _model(self, request: Request) -> Response:
        if request.path_params["id"] != self._settings.model:
            raise self._unknown(request.path_params["id"])
        return JSONResponse(self._model_card())

    async def _health(self, request: Request) -> Response:
        self._check_running()
        health = {"status": "ok", "model": self._settings.model, "context": self._solver.n_ctx}
        return JSONResponse({**health, "running": len(self._running)})

    def _model_card(self) -> dict[str, Any]:
        return {"id": self._settings.model, "object": "model", "created": 0, "owned_by": "local"}

    def _unknown(self, name: str) -> RequestError:
        text = f"no model '{name[:60]}' here; this server has '{self._settings.model}'"
        return RequestError(404, text, "model_not_found", "model")


def _parse(data: Any) -> ChatRequest:
    """Validate a request's body. Raises RequestError, which names the field."""
    try:
        return ChatRequest.model_validate(data)
    except ValidationError as error:
        location = [str(key) for key in error.errors()[0]["loc"]]
        raise RequestError(400, explain(error)[:1000], param=".".join(location) or None) from None


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    paths = "/v1/chat/completions, /v1/models, /health"
    return error_response(
        RequestError(status, f"{request.method} {request.url.path[:80]}: there are {paths}")
    )
