"""What a client gets: a result in OpenAI's words, as one object or as the chunks of a stream."""

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from reasoner.errors import (
    PromptTooLong,
    ReasonerError,
    UnknownName,
    UsageError,
)
from reasoner.events import Live, TextEvent
from reasoner.result import Result, Usage

__all__ = ["NAME", "Failure", "Reply", "failure"]

NAME = "x-completion-id"
"""The header with the name that a completion can be cancelled by."""
FINISH = {"stop": "stop", "budget": "stop", "length": "length", "interrupted": "length"}


@dataclass
class Reply:
    """One completion: its name, and what of the answer has been sent. `live` tells what can be
    sent of the first line of thought while it is written."""

    model: str
    live: Live = "nothing"
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    _sent: str = ""

    def completion(self, result: Result) -> dict[str, Any]:
        """The whole reply as `chat.completion`; `reasoner` is the result as it is."""
        message = {
            "role": "assistant",
            "content": result.answer,
            "reasoning_content": _reasoning(result) or None,
            "refusal": None,
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": FINISH[result.finish_reason],
        }
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage(result.usage),
            "reasoner": json.loads(result.model_dump_json()),
        }

    def begin(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, event: TextEvent) -> dict[str, Any] | None:
        """A piece of a line of thought, or None while it cannot be known to lead to the answer."""
        if self.live == "nothing" or event.path != 0 or not event.text:
            return None
        if event.channel == "reasoning":
            return self._chunk({"reasoning_content": event.text})
        if self.live == "reasoning":
            return None
        self._sent += event.text
        return self._chunk({"content": event.text})

    def end(self, result: Result) -> list[dict[str, Any]]:
        """What has not been sent of the answer, and of a search its reasoning; then the end."""
        chunks = []
        if self.live == "nothing" and (thought := _reasoning(result)):
            chunks.append(self._chunk({"reasoning_content": thought}))
        sent = self._sent.strip()
        answer = result.answer.strip()
        if answer.startswith(sent) and (rest := answer[len(sent) :]):
            chunks.append(self._chunk({"content": rest}))
        last = self._chunk({}, FINISH[result.finish_reason])
        last["reasoner"] = json.loads(result.model_dump_json())
        return [*chunks, last]

    def account(self, result: Result) -> dict[str, Any]:
        """The chunk that `stream_options.include_usage` asks for."""
        return {**self._chunk({}), "choices": [], "usage": usage(result.usage)}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def usage(used: Usage) -> dict[str, Any]:
    """OpenAI's account: reasoning tokens are those completion tokens that are not the answer's."""
    completion = used.completion_tokens
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": used.prompt_tokens + completion,
        "prompt_tokens_details": {
            "cached_tokens": max(0, used.prompt_tokens - used.decoded_tokens)
        },
        "completion_tokens_details": {"reasoning_tokens": max(0, completion - used.answer_tokens)},
    }


def _reasoning(result: Result) -> str:
    return "\n\n".join(step.text.strip() for step in result.reasoning)


class Failure(Exception):
    """An error as OpenAI words it, with its HTTP status."""

    def __init__(
        self, status: int, message: str, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def body(self) -> dict[str, Any]:
        kinds = {401: "authentication_error", 429: "rate_limit_error"}
        kind = "server_error" if self.status >= 500 else kinds.get(self.status)
        error = {
            "message": self.message,
            "type": kind or "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


def failure(error: BaseException) -> Failure:
    """What went wrong, for the client; the unexpected is not told in detail."""
    match error:
        case Failure():
            return error
        case PromptTooLong():
            return Failure(400, str(error), "context_length_exceeded", "messages")
        case UnknownName():
            return Failure(400, str(error), "unknown_name")
        case UsageError():
            return Failure(400, str(error))
        case ReasonerError():
            return Failure(500, str(error))
    return Failure(500, f"unexpected {type(error).__name__}")
