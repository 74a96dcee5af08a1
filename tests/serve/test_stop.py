"""`stop` in requests: the content ends before it, whole and streamed, and the thinking does not."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.scripted_gguf import write_scripted_gguf
from tests.serve.process import SLOW, Server, serving
from tests.tiny_gguf import THINK_TOKENS

pytestmark = pytest.mark.slow

QUESTION: Any = [{"role": "user", "content": "Capital of Kenya?"}]
GIRAFFE = "🦒".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("home")
    model = write_scripted_gguf(
        folder / "s.gguf",
        ["It ends in -bi. STOP", " it.\n\n", "</think>"],
        ["\n\n", "Nairobi ", *(bytes([byte]) for byte in GIRAFFE), " ST", "OP it.", "<|im_end|>"],
        switch=["</think>"],
        user_defined=THINK_TOKENS,
    )
    with serving(folder, model, "--context", "4096") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.address}/v1", api_key="none", max_retries=0, timeout=SLOW
    ) as made:
        yield made


@pytest.mark.parametrize("stop", ["STOP", ["never", "STOP"], [" ST"]])
def test_content_ends_before_the_text(client: openai.OpenAI, stop: Any) -> None:
    asked: dict[str, Any] = {"model": "default", "messages": QUESTION, "stop": stop}
    (choice,) = client.chat.completions.create(**asked).choices
    assert choice.message.content is not None
    assert choice.message.content.removeprefix("</think>").strip() == "Nairobi 🦒"
    assert "STOP" in choice.message.reasoning_content
    assert choice.finish_reason == "stop"
    chunks = list(client.chat.completions.create(**asked, stream=True))
    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(deltas).removeprefix("</think>").strip() == "Nairobi 🦒"


def test_a_stream_that_is_cut_within_a_character_ends_before_it(server: Server) -> None:
    texts = []
    for stream in (False, True):
        body = {
            "messages": QUESTION,
            "reasoning_effort": "none",
            "max_tokens": 8,
            "stream": stream,
        }
        reply = httpx2.post(f"{server.address}/v1/chat/completions", json=body, timeout=SLOW)
        assert reply.status_code == 200
        texts.append(reply.text)
    assert all("Nairobi" in text and "\ufffd" not in text for text in texts)
