"""The command with `--server`: as if the model were loaded here."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import reasoner
from reasoner.types.result import Result
from tests.cli.command import COMMAND, environment, run
from tests.serve.process import SLOW, Server, serving

LIMITS = ("--budget", "12", "--max-tokens", "40", "--context", "2048")


@pytest.fixture(scope="module")
def server(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home"), tiny_gguf, *LIMITS) as running:
        yield running


@pytest.mark.slow
def test_the_answer_is_the_one_from_here(server: Server, tiny_gguf: Path, tmp_path: Path) -> None:
    asked = ("ask", "What is 2 + 3?", "--seed", "5", "--json")
    here = run(tmp_path, *asked, "-m", tiny_gguf, *LIMITS)
    there = run(tmp_path, *asked, REASONER_SERVER=server.address + "/v1")
    assert here.returncode == there.returncode, there.stderr
    ours, theirs = (Result.model_validate_json(done.stdout) for done in (here, there))
    assert (theirs.answer, theirs.reasoning) == (ours.answer, ours.reasoning)


@pytest.mark.slow
def test_events_searches_and_batches(server: Server, tmp_path: Path) -> None:
    search = ("--strategy", "majority", "-S", "n=3", "--server", server.address)
    done = run(tmp_path, "ask", "hi", *search, "--ndjson")
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds.count("candidate") == 3
    assert kinds[-1] == "result"
    data = b"".join(b'{"question": "What is %d + 1?"}\n' % n for n in range(12))
    done = run(tmp_path, "batch", "--server", server.address, stdin=data)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["question"] for row in rows] == [f"What is {n} + 1?" for n in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_batch_whose_server_ends_goes_on_with_the_next_one(
    tiny_gguf: Path, tmp_path: Path, number: int
) -> None:
    """A server that ends in good order hands out halves of answers, which are none."""
    file, out = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    file.write_bytes(
        b"".join(b'{"id": "%d", "question": "Count to %d."}\n' % (n, n) for n in range(40))
    )
    long = ("--budget", "60", "--min-steps", "40", "--max-tokens", "80")
    command = [*COMMAND, "batch", str(file), "--out", str(out), *long, "--server"]
    with serving(tmp_path / "home", tiny_gguf, "--context", "4096") as running:
        process = subprocess.Popen(
            [*command, running.address],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
        )
        while not out.exists() or b"\n" not in out.read_bytes():
            time.sleep(0.01)
        running.stop(number)
        _, told = process.communicate(timeout=SLOW)
    assert process.returncode == 1
    assert running.address.encode() in told
    assert b"Traceback" not in told
    before = [json.loads(line) for line in out.read_text().splitlines()]
    assert 0 < len(before) < 40
    assert not any("error" in row or row["finish_reason"] == "interrupted" for row in before)
    with serving(tmp_path / "home", tiny_gguf, "--context", "4096") as running:
        done = run(tmp_path, *command[len(COMMAND) :], running.address, seconds=SLOW)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    statuses = {row.get("status") for row in rows}
    expected = 3 if "refuted" in statuses else 4 if "no_answer" in statuses else 0
    assert done.returncode == expected, done.stderr
    assert rows[: len(before)] == before
    assert [row["id"] for row in rows] == [str(n) for n in range(40)]
    assert not any("error" in row for row in rows)


@pytest.mark.slow
def test_the_library_asks_the_server_too(server: Server, own_directories: Path) -> None:
    result = reasoner.solve("hi", server=server.address, think=False, max_tokens=4)
    assert 0 < result.usage.completion_tokens <= 4


@pytest.mark.slow
def test_ctrl_c_gets_what_there_is(server: Server, tmp_path: Path) -> None:
    endless = ("--min-steps", "90", "--budget", "1500", "--max-tokens", "1800", "--ndjson")
    process = subprocess.Popen(
        [*COMMAND, "ask", "hi", "--server", server.address, *endless],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=SLOW)
    last = json.loads((first + rest).splitlines()[-1])
    assert (process.returncode, last["kind"]) == (130, "result"), said
    assert last["result"]["finish_reason"] == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--server", "nonsense"), 2, "is no address"),
        (("--server", "http://127.0.0.1:1"), 1, "is `reasoner serve` running?"),
    ],
)
def test_no_server(tmp_path: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = run(tmp_path, "ask", "hi", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert says in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_what_the_server_refuses_is_a_wrong_request(server: Server, tmp_path: Path) -> None:
    for wrong, says in ((("-m", "other"), "this server has"), (("-o", "top_q=1"), "top_p")):
        done = run(tmp_path, "ask", "hi", "--server", server.address, *wrong)
        assert (done.returncode, says in done.stderr.decode()) == (2, True)


def test_another_kind_of_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + b"content-length: 2\r\n\r\nhi")

        thread = threading.Thread(target=answer)
        thread.start()
        port = listening.getsockname()[1]
        done = run(tmp_path, "ask", "hi", "--server", f"http://127.0.0.1:{port}")
        thread.join()
    assert done.returncode == 2
    assert b"does not answer as `reasoner serve` does" in done.stderr
