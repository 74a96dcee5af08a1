"""A client for OpenAI-compatible completions: vLLM, llama-server, llama-cpp-python and others."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reasoner.engine.capabilities import missing_capability
from reasoner.engine.interface import MIN_LOGPROB
from reasoner.engine.sampling import Sampling
from reasoner.errors import EngineError, UsageError
from reasoner.http_errors import is_request_fault, translate_http_errors

__all__ = ["CompletionsClient", "TextPiece"]

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 5.0, 300.0
"""Seconds to connect, and seconds to wait for the next bytes."""
MAX_TOP_LOGPROBS = 20
"""How many of the most likely next tokens are requested; vLLM returns no more."""

DRY_OPTIONS = ("dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Generated text with its log-probability (natural; 0.0 where the server reports none).

    `finish` is the server's finish reason, set on the last piece only.
    """

    text: str
    logprob: float = 0.0
    finish: str | None = None


class CompletionsClient:
    """A client for one model. `address` ends in /v1; `model` is its name on the server.

    Raises UsageError for an address that is no URL.
    """

    def __init__(self, address: str, model: str, key: str | None, connections: int) -> None:
        import httpx2

        self.address, self.model = address, model
        self._logprobs = True
        try:
            self._client = httpx2.AsyncClient(
                headers={"authorization": f"Bearer {key}"} if key else {},
                timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=None),
                limits=httpx2.Limits(max_connections=connections),
            )
        except (ValueError, httpx2.InvalidURL) as error:
            raise UsageError(f"'{address}' cannot be asked: {error}") from error

    async def fetch_json(self, path: str) -> Any:
        """Fetch a JSON document. Raises UsageError for a wrong address or request, ServerGone when
        the connection fails, and EngineError for other failures."""
        with translate_http_errors(self.address):
            response = await self._client.get(path)
            if response.status_code != 200:
                raise self._error_from_response(response.status_code, response.content)
            return _parse_reply(response.content, self.address, lambda data: data)

    async def probe_logprobs(self) -> bool:
        """Request one token, and return whether the server reports log-probabilities."""
        try:
            await self.next_logprobs("1 + 1 =")
        except (UsageError, EngineError):
            self._logprobs = False
            async for _ in self.stream_completion("1 + 1 =", Sampling(temperature=0.0), 1, 0, ()):
                pass
        return self._logprobs

    async def stream_completion(
        self,
        prompt: str,
        sampling: Sampling,
        max_tokens: int,
        seed: int,
        ends: Sequence[str],
    ) -> AsyncGenerator[TextPiece, None]:
        """Stream the continuation of the prompt; closing the iterator stops the server.

        `ends` are the texts of the tokens that end the reply. Raises as `fetch_json` does.
        """
        body = {
            **self._base_body(prompt, max_tokens),
            **_options(sampling),
            "seed": seed,
            "stream": True,
            **({"stop": list(ends)} if ends else {}),
            **({"logprobs": 1} if self._logprobs else {}),
        }
        url = f"{self.address}/completions"
        with translate_http_errors(self.address):
            async with self._client.stream("POST", url, json=body) as response:
                if response.status_code != 200:
                    raise self._error_from_response(response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    for piece in self._parse_event(line):
                        yield piece

    async def next_logprobs(self, prompt: str) -> dict[str, float]:
        """Return the texts of the most likely next tokens with their log-probabilities. Raises
        EngineError when the server reports none."""
        body = {**self._base_body(prompt, 1), "temperature": 0.0, "logprobs": MAX_TOP_LOGPROBS}
        with translate_http_errors(self.address):
            response = await self._client.post(f"{self.address}/completions", json=body)
            if response.status_code != 200:
                raise self._error_from_response(response.status_code, response.content)
            logprobs = _parse_reply(response.content, self.address, _top_logprobs)
        if not logprobs:
            raise missing_capability(f"the server at {self.address}", "score")
        return logprobs

    async def close(self) -> None:
        await self._client.aclose()

    def _parse_event(self, line: str) -> list[TextPiece]:
        """Return the pieces in a line of the event stream; none for lines without data."""
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            return []
        return _parse_reply(data, self.address, _pieces)

    def _base_body(self, prompt: str, max_tokens: int) -> dict[str, Any]:
        return {"model": self.model, "prompt": prompt, "max_tokens": max_tokens}

    def _error_from_response(self, status: int, content: bytes) -> UsageError | EngineError:
        try:
            data = json.loads(content)
            error = data.get("error", data)
            reason = str(error.get("message", error) if isinstance(error, dict) else error)
        except (ValueError, AttributeError, RecursionError):
            reason = content[:200].decode(errors="replace")
        text = f"the server at {self.address} refused ({status}): {reason[:300]}"
        return UsageError(text) if is_request_fault(status) else EngineError(text)


def _options(sampling: Sampling) -> dict[str, Any]:
    """Return the options by the names that llama.cpp's servers and vLLM share; the repetition
    penalty has another name in each."""
    options: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "skip_special_tokens": False,
    }
    if sampling.top_k > 0:
        options["top_k"] = sampling.top_k
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(sampling, name):
            options[name] = getattr(sampling, name)
    if sampling.has_dry:  # llama-server's names; a server without DRY ignores them
        options |= {name: getattr(sampling, name) for name in DRY_OPTIONS}
    if sampling.repeat_penalty != 1.0:
        options["repetition_penalty"] = sampling.repeat_penalty
    return options


def _parse_reply(reply: bytes | str, address: str, find: Callable[[Any], T]) -> T:
    """Parse a JSON reply with `find`. Raises EngineError for a malformed reply."""
    try:
        return find(json.loads(reply))
    except (ValueError, RecursionError):
        raise EngineError(f"what {address} sent is not JSON; is it a completions server?") from None
    except (LookupError, TypeError, AttributeError, OverflowError):
        raise EngineError(
            f"what {address} sent is no completion; is it a completions server?"
        ) from None


def _choice(data: Any) -> dict[str, Any]:
    """Return the only choice of a reply."""
    if "error" in data:
        raise EngineError(f"the server failed: {str(data['error'])[:300]}")
    choice = data["choices"][0] if data["choices"] else {}
    if not isinstance(choice, dict):
        raise TypeError("a choice is an object")
    return choice


def _pieces(data: Any) -> list[TextPiece]:
    """Return an event's tokens as pieces where it lists them, else its text as one piece."""
    choice = _choice(data)
    text, finish = str(choice.get("text") or ""), choice.get("finish_reason")
    tokens = _tokens(choice)
    if "".join(token for token, _ in tokens) == text:
        pieces = [TextPiece(token, logprob) for token, logprob in tokens if token]
    else:
        pieces = [TextPiece(text, sum(logprob for _, logprob in tokens))] if text else []
    return [*pieces, TextPiece("", finish=str(finish))] if finish else pieces


def _tokens(choice: dict[str, Any]) -> list[tuple[str, float]]:
    """Return tokens and log-probabilities from OpenAI's older form or llama-server's newer one."""
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, dict):
        return []
    if isinstance(content := logprobs.get("content"), list):
        return [(str(token.get("token", "")), _logprob(token.get("logprob"))) for token in content]
    tokens, logprobs = logprobs.get("tokens") or [], logprobs.get("token_logprobs") or []
    return [(str(t), _logprob(logprob)) for t, logprob in zip(tokens, logprobs, strict=False)]


def _top_logprobs(data: Any) -> dict[str, float]:
    """Return the most likely tokens at the only position with their log-probabilities."""
    logprobs = _choice(data).get("logprobs")
    if not isinstance(logprobs, dict):
        return {}
    if isinstance(content := logprobs.get("content"), list) and content:
        rows = content[0].get("top_logprobs") or content[0].get("top_probs") or []
        return {str(row.get("token", "")): _logprob(row.get("logprob")) for row in rows}
    rows = logprobs.get("top_logprobs") or []
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    return {str(token): _logprob(logprob) for token, logprob in first.items()}


def _logprob(value: Any) -> float:
    """Return a log-probability; 0 where the value is no number."""
    known = isinstance(value, int | float) and value == value  # NaN is none
    return min(0.0, max(MIN_LOGPROB, float(value))) if known else 0.0
