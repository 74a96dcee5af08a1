"""Replies of other programs to a question: `llama_cpp.Llama` and OpenAI-compatible servers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2

from reasoner.protocol.protocol import STEP_INSTRUCTION

MAX_REPLY_TOKENS = 1024
SAMPLE_TEMPERATURE = 0.8
"""The temperature of the samples of a majority."""
ReplySource = Callable[[str], Awaitable[list[str]]]
"""A question's replies, one or several."""


class CompletionError(Exception):
    """What a server said is no completion, or it said nothing."""


def chat_messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": STEP_INSTRUCTION}, {"role": "user", "content": question}]


def llama_cpp_source(model: Path, samples: int, threads: int) -> ReplySource:
    """`llama_cpp.Llama`, asked several times."""
    from llama_cpp import Llama

    llama = Llama(str(model), n_ctx=4096, n_threads=threads, verbose=False)

    def drawn(question: str) -> list[str]:
        asked: Any = chat_messages(question)
        return [
            llama.create_chat_completion(
                asked, temperature=SAMPLE_TEMPERATURE, max_tokens=MAX_REPLY_TOKENS, seed=seed
            )["choices"][0]["message"]["content"]
            for seed in range(samples)
        ]

    async def replies(question: str) -> list[str]:
        return await asyncio.to_thread(drawn, question)

    return replies


def server_source(
    client: httpx2.AsyncClient, url: str, model: str, wishes: Sequence[dict[str, float]] = ({},)
) -> ReplySource:
    """A server, asked once for each of the wishes, all side by side. Raises CompletionError."""
    address = f"{url.rstrip('/')}/chat/completions"

    async def reply(question: str, wish: dict[str, float]) -> str:
        body = {
            "model": model,
            "messages": chat_messages(question),
            "max_tokens": MAX_REPLY_TOKENS,
            **wish,
        }
        try:
            answer = (await client.post(address, json=body)).raise_for_status()
            return str(answer.json()["choices"][0]["message"]["content"])
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, LookupError, TypeError) as error:
            raise CompletionError(
                f"no answer of {address}: {error or type(error).__name__}"
            ) from error

    async def replies(question: str) -> list[str]:
        return await asyncio.gather(*(reply(question, wish) for wish in wishes))

    return replies
