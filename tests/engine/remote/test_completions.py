"""What a server says that is no completions server, or is broken: an error of one line."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reasoner.engine.remote.completions import CompletionsClient, _options
from reasoner.engine.sampling import GREEDY, Sampling
from reasoner.errors import EngineError

DEEP = "[" * 100_000


@contextmanager
def saying(body: str) -> Iterator[str]:
    """A server that says the same to whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def at(address: str) -> AsyncIterator[CompletionsClient]:
    server = CompletionsClient(address, "m", None, 4)
    try:
        yield server
    finally:
        await server.close()


def choice(**said: object) -> str:
    return json.dumps({"choices": [said]})


NO_COMPLETIONS = [
    "",
    "<html>",
    DEEP,
    "null",
    "7",
    '"choices"',
    "[]",
    "{}",
    '{"choices": null, "error": {"message": "out of memory"}}',
    '{"choices": 3}',
    '{"choices": [3]}',
    choice(text="x", logprobs={"content": [3]}),
    choice(text="x", logprobs={"tokens": 3, "token_logprobs": [0], "top_logprobs": {"a": 1}}),
    choice(text="x", logprobs={"tokens": ["x"], "token_logprobs": 3, "top_logprobs": 3}),
    choice(text="x", logprobs={"content": [{"token": "x", "logprob": 10**400}]})[:-1],
]
NO_SCORES = [
    choice(text="x", logprobs={"content": [{"top_logprobs": [3]}]}),
    choice(text="x", logprobs={"content": [{"top_logprobs": 3}]}),
    choice(text="x", logprobs={"content": [{"top_logprobs": [{"token": "x"}, []]}]}),
]


@pytest.mark.parametrize("body", [*NO_COMPLETIONS, *NO_SCORES])
async def test_scores_that_are_none_are_an_error_of_one_line(body: str) -> None:
    with saying(body) as address:
        async with at(address) as server:
            with pytest.raises(EngineError) as caught:
                await server.next_logprobs("1 + 1 =")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", NO_COMPLETIONS)
async def test_a_text_that_is_none_is_an_error_of_one_line(body: str) -> None:
    with saying(f"data: {body}\n\n") as address:
        async with at(address) as server:
            with pytest.raises(EngineError) as caught:
                _ = [piece async for piece in server.stream_completion("1 + 1 =", GREEDY, 4, 0, ())]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("told", ["NaN", "Infinity", "1e400", "5", "true", "null", '"x"'])
async def test_a_log_probability_that_is_none_counts_as_nothing(told: str) -> None:
    rows = f'[{{"token": "2", "logprob": {told}}}, {{"token": "3", "logprob": -Infinity}}]'
    body = (
        f'{{"choices": [{{"text": "2", "logprobs": {{"content": [{{"top_logprobs": {rows}}}]}}}}]}}'
    )
    with saying(body) as address:
        async with at(address) as server:
            assert await server.next_logprobs("1 + 1 =") == {"2": 0.0, "3": -1e4}


def test_dry_is_passed_on_by_its_names_only_where_it_is_on() -> None:
    assert not any(name.startswith("dry") for name in _options(GREEDY))
    options = _options(Sampling(dry_multiplier=0.5, dry_allowed_length=3))
    assert {name: value for name, value in options.items() if name.startswith("dry")} == {
        "dry_multiplier": 0.5,
        "dry_base": 1.75,
        "dry_allowed_length": 3,
        "dry_penalty_last_n": 4096,
    }
