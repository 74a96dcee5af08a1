"""Responses in OpenAI's format: a result as one object or as the chunks of a stream, and errors."""

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
from reasoner.types.events import LiveView, TextEvent
from reasoner.types.result import Result, Usage

__all__ = ["CompletionReply", "RequestError", "to_request_error"]

FINISH_REASONS = {"stop": "stop", "budget": "stop", "length": "length", "interrupted": "length"}


@dataclass
class CompletionReply:
    """One completion: its id, and the text that has been sent. `live` says which part of the first
    trajectory can be sent while it is generated."""

    model: str
    live: LiveView = "nothing"
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    _sent_text: str = ""

    def completion(self, result: Result) -> dict[str, Any]:
        """The whole reply as a `chat.completion`; its field `reasoner` is the whole result."""
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
            "finish_reason": FINISH_REASONS[result.finish_reason],
        }
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": openai_usage(result.usage),
            "reasoner": json.loads(result.model_dump_json()),
        }

    def first_chunk(self) -> dict[str, Any]:
        """The first chunk, which names the role."""
        return self._chunk({"role": "assistant", "content": ""})

    def text_chunk(self, event: TextEvent) -> dict[str, Any] | None:
        """A text event as a chunk; None for text that may not belong to the final answer."""
        if self.live == "nothing" or event.path != 0 or not event.text:
            return None
        if event.channel == "reasoning":
            return self._chunk({"reasoning_content": event.text})
        if self.live == "reasoning":
            return None
        self._sent_text += event.text
        return self._chunk({"content": event.text})

    def last_chunks(self, result: Result) -> list[dict[str, Any]]:
        """The last chunks: the text that has not been sent yet, including the reasoning after a
        search, and the finish reason with the whole result."""
        chunks = []
        if self.live == "nothing" and (reasoning := _reasoning(result)):
            chunks.append(self._chunk({"reasoning_content": reasoning}))
        sent = self._sent_text.strip()
        answer = result.answer.strip()
        if answer.startswith(sent) and (rest := answer[len(sent) :]):
            chunks.append(self._chunk({"content": rest}))
        last = self._chunk({}, FINISH_REASONS[result.finish_reason])
        last["reasoner"] = json.loads(result.model_dump_json())
        return [*chunks, last]

    def usage_chunk(self, result: Result) -> dict[str, Any]:
        """The chunk with the token counts, sent for `stream_options.include_usage`."""
        return {**self._chunk({}), "choices": [], "usage": openai_usage(result.usage)}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def openai_usage(used: Usage) -> dict[str, Any]:
    """Token counts in OpenAI's format. Reasoning tokens are the completion tokens that are not part
    of the answer."""
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


class RequestError(Exception):
    """An error in OpenAI's format, with its HTTP status."""

    def __init__(
        self, status: int, message: str, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def body(self) -> dict[str, Any]:
        """The response's JSON."""
        kinds = {401: "authentication_error", 429: "rate_limit_error"}
        kind = "server_error" if self.status >= 500 else kinds.get(self.status)
        error = {
            "message": self.message,
            "type": kind or "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


def to_request_error(error: BaseException) -> RequestError:
    """An exception as an error for the client; unexpected ones are named by their class only."""
    match error:
        case RequestError():
            return error
        case PromptTooLong():
            return RequestError(400, str(error), "context_length_exceeded", "messages")
        case UnknownName():
            return RequestError(400, str(error), "unknown_name")
        case UsageError():
            return RequestError(400, str(error))
        case ReasonerError():
            return RequestError(500, str(error))
    return RequestError(500, f"unexpected {type(error).__name__}")
