"""A solver whose model is loaded elsewhere: in a running `reasoner serve`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter, ValidationError

from reasoner.answers.submission import build_submission
from reasoner.cache.verdicts import open_verdict_cache
from reasoner.engine.remote.text_vocabulary import TextVocabulary
from reasoner.errors import EngineError, ReasonerError, ServerGone, UsageError
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

CONNECT, SILENCE = 5.0, 60.0
"""Seconds to reach the server, and seconds in which it must say something: it says that it is at
work far more often."""
STOPPING = 503
MARKS = 5
"""Tokens that a chat template puts around a message, or so."""
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


class ServedSolver:
    """A solver whose questions are answered by the `reasoner serve` at `settings.server`.

    Only the settings that the user chose are sent, so the server's own hold for the rest.
    """

    def __init__(self, settings: Settings, on_event: OnEvent | None = None) -> None:
        self._settings, self._on_event = settings, on_event
        self._address = (settings.server or "").rstrip("/").removesuffix("/v1")

    async def __aenter__(self) -> Self:
        self._client = _client(self._address, self._settings)
        try:
            async with self._errors():
                health = (await self._client.get("/health")).raise_for_status()
            self.n_ctx = _context(health.content)
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
        async with self._errors():
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
        return sum(MARKS + len(count(text, special=False)) for text in texts if text)

    async def prefill(self, problem: Problem, settings: Settings) -> None:
        """Do nothing: the server's KV cache is filled by its own requests."""

    async def verify(self, problem: Problem, result: Result) -> tuple[Verdict, ...]:
        """Return the verdicts on an earlier answer, from the verifiers of this machine."""
        settings = self._settings
        kept = open_verdict_cache(settings)
        with PluginHost(unsafe_exec=settings.unsafe_exec, verdict_cache=kept) as verifiers:
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
        body = _body(problem, settings or self._settings)
        result = None
        async with self._errors(), self._asked(body, stop) as response:
            async for line in response.aiter_lines():
                data = line.removeprefix("data: ")
                if data == line or data == "[DONE]":
                    continue
                event = self._event(data)
                emit(event)
                result = event.result if event.kind == "result" else result
        if result is None:
            raise EngineError(
                f"{self._address} ended the stream before the result; is it stopping?"
            )
        return result

    @asynccontextmanager
    async def _asked(
        self, body: dict[str, Any], stop: asyncio.Event | None
    ) -> "AsyncIterator[httpx2.Response]":
        """The response to the question, while which `stop` is passed on."""
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise _refusal(response.status_code, await response.aread(), self._address)
            name = response.headers.get(COMPLETION_ID_HEADER, "")
            watch = asyncio.ensure_future(self._cancel_when(stop, name)) if stop else None
            try:
                yield response
            finally:
                if watch is not None:
                    watch.cancel()

    async def _cancel_when(self, stop: asyncio.Event, name: str) -> None:
        await stop.wait()
        with suppress(Exception):  # whoever cannot be told ends with the connection
            await self._client.post(f"/v1/chat/completions/{name}/cancel")

    def _event(self, data: str) -> Event:
        try:
            return EVENTS.validate_json(data)
        except ValidationError:
            raise _refusal(500, data.encode(), self._address) from None

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        """The library's errors as ours."""
        import httpx2

        try:
            yield
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise UsageError(
                f"'{self._address}' is no address of a server, such as http://127.0.0.1:8642"
            ) from error
        except httpx2.HTTPError as error:
            gone = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            what = str(error) or type(error).__name__
            raise (ServerGone if gone else EngineError)(
                f"cannot use the server at {self._address}: {what}; is `reasoner serve` running?"
            ) from error


def _context(body: bytes) -> int:
    """The context that the server tells of. Raises UsageError when it tells of none."""
    try:
        return int(json.loads(body)["context"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise _refusal(200, body) from None


def _client(address: str, settings: Settings) -> "httpx2.AsyncClient":
    import httpx2

    key = settings.api_key
    headers = {} if key is None else {"authorization": f"Bearer {key.get_secret_value()}"}
    try:
        return httpx2.AsyncClient(
            base_url=address,
            headers=headers,
            timeout=httpx2.Timeout(SILENCE, connect=CONNECT),
            limits=httpx2.Limits(max_connections=None),
        )
    except httpx2.InvalidURL as error:
        raise UsageError(f"'{address}' is no address of a server") from error


def _body(problem: Problem, settings: Settings) -> dict[str, Any]:
    chosen = settings.model_fields_set
    system = [{"role": "system", "content": problem.system}] if problem.system is not None else []
    asked = {"role": "user", "content": problem.question}
    turns = [message.model_dump() for message in problem.history]
    extra = settings.model_dump(mode="json", include={*CLIENT_SETTINGS} & chosen)
    extra |= problem.model_dump(include={"expect", "tests", "entry_point"}, exclude_none=True)
    return {
        "model": settings.model if "model" in chosen else "default",
        "messages": [*system, *turns, asked],
        "stream": True,
        "reasoner": {**extra, "events": True},
    }


def _refusal(status: int, body: bytes, address: str = "") -> ReasonerError:
    """What the server said as an error of ours."""
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return UsageError(f"{address or 'the server'} does not answer as `reasoner serve` does")
    if status == STOPPING:
        return ServerGone(f"{address or 'the server'}: {message}")
    wrong = 400 <= status < 500 and status not in (408, 429)
    return UsageError(message) if wrong else EngineError(f"the server: {message}")
