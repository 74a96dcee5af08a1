"""`reasoner serve`, used by OpenAI's own client and abused by others."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from reasoner.serve.guard import MAX_BODY_BYTES
from reasoner.types.result import Result
from tests.cli.command import run
from tests.scripted_gguf import write_scripted_gguf
from tests.serve.process import SLOW, Server, serving

LIMITS = ("--budget", "12", "--max-tokens", "40", "--context", "16384")
HI: Any = [{"role": "user", "content": "Say hi."}]
CHAT = "/v1/chat/completions"
ENDLESS = {"min_steps": 1200, "budget": 15000, "max_tokens": 16000}


@pytest.fixture(scope="module")
def server(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home"), tiny_gguf, *LIMITS) as running:
        yield running
        assert running.process.poll() is None


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.address}/v1", api_key="none", max_retries=0, timeout=SLOW
    ) as made:
        yield made


def idle(server: Server) -> None:
    """Wait until nothing is being worked on."""
    deadline = time.monotonic() + SLOW
    while httpx2.get(f"{server.address}/health", timeout=SLOW).json()["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def post(server: Server, content: bytes | Iterator[bytes], **headers: str) -> httpx2.Response:
    headers = {"content-type": "application/json"} | headers
    return httpx2.post(server.address + CHAT, content=content, headers=headers, timeout=SLOW)


@pytest.mark.slow
def test_a_completion(client: openai.OpenAI, tiny_gguf: Path) -> None:
    (model,) = client.models.list()
    assert client.models.retrieve(model.id).id == model.id
    made = client.chat.completions.create(model=model.id, messages=HI, seed=3)
    result = Result.model_validate(made.model_extra["reasoner"])  # type: ignore[index]
    message, used = made.choices[0].message, made.usage
    assert message.content == result.answer
    assert made.choices[0].finish_reason in ("stop", "length")
    assert used is not None
    assert used.completion_tokens_details is not None
    assert used.prompt_tokens == result.usage.prompt_tokens > 0
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens
    reasoning = used.completion_tokens_details.reasoning_tokens
    assert reasoning == used.completion_tokens - result.usage.answer_tokens
    assert result.seed == 3


@pytest.mark.slow
def test_a_stream_says_the_same(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "default", "messages": HI, "seed": 4}
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    answer = "".join(delta.content or "" for delta in deltas)
    content = whole.choices[0].message.content
    assert content is not None
    assert answer.strip() == content.strip()
    assert thought.strip()
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] is not None


@pytest.mark.slow
def test_effort_limits_and_our_own_fields(client: openai.OpenAI) -> None:
    create: Any = client.chat.completions.create
    at_once = create(
        model="default", messages=HI, reasoning_effort="none", max_completion_tokens=5, top_p=0.9
    )
    assert at_once.usage.completion_tokens <= 5
    assert at_once.usage.completion_tokens_details.reasoning_tokens == 0
    extra = {"strategy": "majority", "strategy_options": {"n": 3}, "expect": "987654321"}
    made = create(model="default", messages=HI, extra_body={"reasoner": extra})
    result = Result.model_validate(made.model_extra["reasoner"])
    assert (result.strategy, len(result.candidates)) == ("majority", 3)
    assert result.status != "verified"
    system = [{"role": "developer", "content": [{"type": "text", "text": "Be terse. " * 20}]}]
    longer = create(model="default", messages=[*system, *HI], reasoning_effort="none")
    assert longer.usage.prompt_tokens > at_once.usage.prompt_tokens + 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "messages"),
        ({"messages": []}, 400, "messages"),
        ({"messages": HI, "n": 2}, 400, "n: "),
        ({"messages": HI, "stop": ["x"] * 17}, 400, "stop: "),
        ({"messages": HI, "stop": [""]}, 400, "stop."),
        ({"messages": HI, "stop": 5}, 400, "stop"),
        ({"messages": HI, "tools": [{"type": "function"}]}, 400, "tools: "),
        ({"messages": HI, "temperature": 9}, 400, "temperature"),
        ({"messages": HI, "seed": -1}, 400, "seed"),
        ({"messages": HI, "response_format": {"type": "json_object"}}, 400, "response_format"),
        ({"messages": HI, "reasoner": {"strategie": 1}}, 400, "strategie"),
        ({"messages": HI, "reasoner": {"strategy": "linaer"}}, 400, "did you mean linear"),
        ({"messages": HI, "reasoner": {"unsafe_exec": True}}, 400, "unsafe_exec"),
        ({"messages": HI, "reasoner": {"value_head": "/etc/passwd"}}, 400, "value_head"),
        ({"messages": HI, "reasoner": {"sampling": {"top_q": 1}}}, 400, "top_p"),
        ({"messages": HI, "reasoner": {"sampling": {"grammar": "root ::= root"}}}, 400, "grammar"),
        ({"messages": HI, "reasoner": 5}, 400, "reasoner"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "role"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "user's"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "image parts"),
        ({"messages": HI, "chat_template_kwargs": {"tools": 1}}, 400, "'tools' is set by the"),
        ({"messages": [{"role": "user", "content": "x" * 17_000}]}, 400, "the context holds"),
        ({"messages": [{"role": "user", "content": "x" * 17_000}], "stream": True}, 400, "context"),
        ({"messages": HI, "model": "gpt-9"}, 404, "this server has"),
        ([1], 400, "dictionary"),
        ("hi", 400, "dictionary"),
    ],
)
def test_requests_that_cannot_be_answered(
    server: Server, body: object, status: int, says: str
) -> None:
    response = post(server, json.dumps(body).encode())
    error = response.json()["error"]
    assert (response.status_code, {*error}) == (status, {"message", "type", "param", "code"})
    assert says in error["message"]


@pytest.mark.slow
def test_conversations_that_the_template_takes_in_no_order(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}{% if m.role != ['user', 'assistant'][loop.index0 % 2] %}"
        "{{ raise_exception('in turns, please') }}{% endif %}[{{ m.content }}]{% endfor %}"
        "{% if not polite %}{{ raise_exception('not without polite') }}{% endif %}"
    )
    script = ["Certainly.", "<|im_end|>"]
    path = write_scripted_gguf(tmp_path / "narrow.gguf", script, chat_template=template)
    question = {"role": "user", "content": "Go on."}
    begun: list[list[dict[str, str]]] = [
        [{"role": "user", "content": "Wait."}],
        [{"role": "assistant", "content": "Hello."}],
        [{"role": "system", "content": "Be kind."}, {"role": "assistant", "content": "Hello."}],
        [
            {"role": "user", "content": "Wait."},
            {"role": "assistant", "content": "Hello."},
            {"role": "developer", "content": "Be brief."},
        ],
    ]
    with serving(tmp_path, path) as server:
        for earlier in begun:
            body: dict[str, Any] = {"messages": [*earlier, question]}
            refused = post(server, json.dumps(body).encode()).json()["error"]
            assert "not without polite" in refused["message"]
            body["chat_template_kwargs"] = {"polite": True}
            (choice,) = post(server, json.dumps(body).encode()).json()["choices"]
            assert choice["message"]["content"] == "Certainly."


@pytest.mark.slow
def test_bodies_that_are_none(server: Server) -> None:
    assert post(server, b"{").status_code == 400
    assert post(server, b"[" * 100_000).status_code == 400
    assert post(server, b"\xff").status_code == 400
    assert post(server, b"{}", **{"content-type": "text/plain"}).status_code == 415
    assert post(server, b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert (
        post(server, (b"x" * 65536 for _ in range(MAX_BODY_BYTES // 65536 + 2))).status_code == 413
    )
    for path, status in (("/v1/nothing", 404), (CHAT, 405), ("/v1/models/other", 404)):
        response = httpx2.get(server.address + path, timeout=SLOW)
        assert (response.status_code, "message" in response.json()["error"]) == (status, True)


@pytest.mark.slow
def test_only_this_machine_is_answered(server: Server) -> None:
    asked = json.dumps({"messages": HI}).encode()
    assert post(server, asked, host="rebound.example").status_code == 403
    assert post(server, asked, host="127.0.0.1.example:80").status_code == 403
    assert post(server, asked, host="localhost").status_code == 200


@pytest.mark.slow
def test_who_leaves_is_not_worked_for(server: Server) -> None:
    body: dict[str, Any] = {"messages": HI, "reasoner": ENDLESS, "stream": True}
    with httpx2.stream("POST", server.address + CHAT, json=body, timeout=SLOW) as response:
        lines = response.iter_lines()
        assert next(lines).startswith("data: ")
        health = httpx2.get(f"{server.address}/health", timeout=SLOW)
        assert health.json()["running"] == 1
    idle(server)
    host, port = server.address.removeprefix("http://").split(":")
    whole = json.dumps(body | {"stream": False}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with socket.create_connection((host, int(port))) as plain:
        plain.sendall(f"{head}content-length: {len(whole)}\r\n\r\n".encode() + whole)
        while not httpx2.get(f"{server.address}/health", timeout=SLOW).json()["running"]:
            time.sleep(0.01)
    idle(server)


@pytest.mark.slow
def test_many_at_once_with_nonsense_in_between(server: Server) -> None:
    """The short version of bench/serve.py. What one load leaves behind, a second finds there: the
    allocator keeps some tens of MiB of large requests, and more of them do not add to it."""
    import asyncio

    from bench.serve import ServerLoad

    held = []
    for _ in range(2):
        load = ServerLoad(server.address, seconds=6.0)
        asyncio.run(load.run_clients(clients=12))
        assert load.answered >= 4
        assert {*load.statuses} <= {200, 400, 404, 413, 415}
        assert {200, 400} <= {*load.statuses}
        assert not load.failures
        idle(server)
        held.append(server.memory())
    assert held[1] < held[0] + 100


@pytest.mark.slow
def test_a_key_is_asked_for(tiny_gguf: Path, tmp_path: Path) -> None:
    with serving(tmp_path, tiny_gguf, *LIMITS, "--host", "0.0.0.0", REASONER_API_KEY="wort") as own:
        port = own.address.rpartition(":")[2]
        address = f"http://127.0.0.1:{port}/v1"
        for key, known in (("falsch", False), ("wort", True)):
            with openai.OpenAI(base_url=address, api_key=key, max_retries=0) as client:
                if known:
                    assert client.models.list().data
                else:
                    with pytest.raises(openai.AuthenticationError):
                        client.models.list()
        done = run(tmp_path, "ask", "hi", "--server", address, "--no-think")
        assert (done.returncode, b"a wrong key" in done.stderr) == (2, True)
        done = run(tmp_path, "ask", "hi", "--server", address, REASONER_API_KEY="wort")
        assert (done.returncode, bool(done.stdout.strip())) in ((0, True), (4, False))
        assert b"key" not in done.stderr
    done = run(tmp_path, "serve", "--host", "0.0.0.0", "-m", tiny_gguf)
    assert (done.returncode, b"REASONER_API_KEY" in done.stderr) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(tmp_path, "serve", "--port", str(taken.getsockname()[1]), "-m", tiny_gguf)
        assert (done.returncode, b"another --port" in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_stopped_loses_no_answer(tiny_gguf: Path, tmp_path: Path, number: int) -> None:
    body = {"messages": HI, "reasoner": ENDLESS | {"events": True}, "stream": True}
    with (
        serving(tmp_path, tiny_gguf, *LIMITS) as own,
        httpx2.stream("POST", own.address + CHAT, json=body, timeout=SLOW) as response,
    ):
        lines = response.iter_lines()
        assert next(lines).startswith("data: ")
        own.process.send_signal(number)
        events = [line for line in lines if line]
        assert json.loads(events[-2].removeprefix("data: "))["kind"] == "result"
        assert events[-1] == "data: [DONE]"
        assert own.process.wait(SLOW) == 0
