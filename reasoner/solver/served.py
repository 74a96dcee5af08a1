"""A solver whose model is loaded elsewhere: in a running `reasoner serve`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter, ValidationError

from reasoner.answers.submission import build_submission
from reasoner.cache.verdicts import open_verdict_cache
from reasoner.engine.remote.text_vocabulary import TextVocabulary
from reasoner.errors import EngineError, ReasonerError, ServerGone, UsageError
from reasoner.http_errors import error_message, is_request_fault, translate_http_errors
from reasoner.plugin_host.host import PluginHost
from reasoner.settings import Settings
from reasoner.solver.wire import CLIENT_SETTINGS, COMPLETION_ID_HEADER
from reasoner.types.events import Event, OnEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from reasoner.types.verdict import Verdict

if TYPE_CHECKING:
    import httpx2

__all__ = ["ServedSolver"]

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
"""Seconds to connect, and seconds to wait for the next bytes: while the server works it sends
something far more often."""
HTTP_UNAVAILABLE = 503
"""The status with which a stopping server refuses requests."""
TEMPLATE_TOKENS = 5
"""An estimate of the tokens that a chat template puts around a message."""
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


class ServedSolver:
    """A solver whose questions are answered by the `reasoner serve` at `settings.server`.

    Only the settings that the user chose are sent, so the server's own hold for the rest.
    """

    def __init__(self, settings: Settings, on_event: OnEvent | None = None) -> None:
        self._settings, self._on_event = settings, on_event
        self._address = (settings.server or "").rstrip("/").removesuffix("/v1")

    async def __aenter__(self) -> Self:
        self._client = _open_client(self._address, self._settings)
        try:
            with self._errors():
                health = (await self._client.get("/health")).raise_for_status()
            self.n_ctx = _context_size(health.content)
        except BaseException:
            await self._client.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def ping(self) -> None:
        """Raise ServerGone when the server is stopping or has stopped."""
        with self._errors():
            response = await self._client.get("/health")
        if response.status_code != 200:
            raise _refusal(response.status_code, response.content, self._address)

    @property
    def prompt_has_date(self) -> bool:
        """False: the server's prompts are not known, and its answers are never cached here."""
        return False

    def count_prompt_tokens(self, problem: Problem, settings: Settings) -> int:
        """Estimate the number of tokens of a problem's prompt, without the server's vocabulary."""
        texts = [problem.question, problem.system or "", *(m.content for m in problem.history)]
        count = TextVocabulary("").tokenize
        return sum(TEMPLATE_TOKENS + len(count(text, special=False)) for text in texts if text)

    async def prefill(self, problem: Problem, settings: Settings) -> None:
        """Do nothing: the server's KV cache is filled by its own requests."""

    async def verify(self, problem: Problem, result: Result) -> tuple[Verdict, ...]:
        """Return the verdicts on an earlier answer, from the verifiers of this machine."""
        settings = self._settings
        cache = open_verdict_cache(settings)
        with PluginHost(unsafe_exec=settings.unsafe_exec, verdict_cache=cache) as verifiers:
            submission = build_submission(result.reasoning, result.answer, result.final)
            return await verifiers.check(problem, submission)

    async def solve(
        self,
        problem: Problem,
        *,
        settings: Settings | None = None,
        on_event: OnEvent | None = None,
        stop: asyncio.Event | None = None,
    ) -> Result:
        """Answer `problem`; see `Solver.solve`.

        Raises UsageError when the server refuses the request, ServerGone when there is no server,
        EngineError for other failures.
        """
        emit = on_event or self._on_event or (lambda _event: None)
        body = _request_body(problem, settings or self._settings)
        result = None
        with self._errors():
            async with self._stream_answer(body, stop) as response:
                async for line in response.aiter_lines():
                    data = line.removeprefix("data: ")
                    if data == line or data == "[DONE]":
                        continue
                    event = self._parse_event(data)
                    emit(event)
                    result = event.result if event.kind == "result" else result
        if result is None:
            raise EngineError(
                f"{self._address} ended the stream before the result; is it stopping?"
            )
        return result

    @asynccontextmanager
    async def _stream_answer(
        self, body: dict[str, Any], stop: asyncio.Event | None
    ) -> "AsyncIterator[httpx2.Response]":
        """Yield the streamed response to a question; meanwhile pass `stop` on to the server."""
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise _refusal(response.status_code, await response.aread(), self._address)
            completion_id = response.headers.get(COMPLETION_ID_HEADER, "")
            canceller = (
                asyncio.ensure_future(self._cancel_when(stop, completion_id)) if stop else None
            )
            try:
                yield response
            finally:
                if canceller is not None:
                    canceller.cancel()

    async def _cancel_when(self, stop: asyncio.Event, completion_id: str) -> None:
        await stop.wait()
        with suppress(Exception):  # where it fails, closing the connection ends the answer
            await self._client.post(f"/v1/chat/completions/{completion_id}/cancel")

    def _parse_event(self, data: str) -> Event:
        try:
            return EVENTS.validate_json(data)
        except ValidationError:
            raise _refusal(500, data.encode(), self._address) from None

    def _errors(self) -> AbstractContextManager[None]:
        """Translate the HTTP library's errors to errors of this program."""
        return translate_http_errors(
            self._address,
            address_hint=", such as http://127.0.0.1:8642",
            connection_hint="; is `reasoner serve` running?",
        )


def _context_size(body: bytes) -> int:
    """Return the context size that the server's health reply states. Raises UsageError when it
    states none."""
    try:
        return int(json.loads(body)["context"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise _refusal(200, body) from None


def _open_client(address: str, settings: Settings) -> "httpx2.AsyncClient":
    import httpx2

    key = settings.api_key
    headers = {} if key is None else {"authorization": f"Bearer {key.get_secret_value()}"}
    try:
        return httpx2.AsyncClient(
            base_url=address,
            headers=headers,
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=None),
        )
    except httpx2.InvalidURL as error:
        raise UsageError(f"'{address}' is no address of a server") from error


def _request_body(problem: Problem, settings: Settings) -> dict[str, Any]:
    chosen = settings.model_fields_set
    system = [{"role": "system", "content": problem.system}] if problem.system is not None else []
    question = {"role": "user", "content": problem.question}
    turns = [message.model_dump() for message in problem.history]
    extra = settings.model_dump(mode="json", include={*CLIENT_SETTINGS} & chosen)
    extra |= problem.model_dump(include={"expect", "tests", "entry_point"}, exclude_none=True)
    return {
        "model": settings.model if "model" in chosen else "default",
        "messages": [*system, *turns, question],
        "stream": True,
        "reasoner": {**extra, "events": True},
    }


def _refusal(status: int, body: bytes, address: str = "") -> ReasonerError:
    """Return the error of this program for an error reply of the server."""
    message = error_message(body)
    if message is None:
        return UsageError(f"{address or 'the server'} does not answer as `reasoner serve` does")
    if status == HTTP_UNAVAILABLE:
        return ServerGone(f"{address or 'the server'}: {message}")
    if is_request_fault(status):
        return UsageError(message)
    return EngineError(f"the server: {message}")
