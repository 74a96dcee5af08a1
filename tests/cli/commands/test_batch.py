"""`reasoner batch` as a whole process: killed, interrupted, fed nonsense; each item once."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from reasoner.types.result import Result
from tests.cli.command import COMMAND, environment, run
from tests.cli.terminal import Terminal

SHORT = ("--no-think", "--max-tokens", "8", "--no-verify", "--context", "1024")
KILLS = 8


def questions(tmp_path: Path, count: int) -> Path:
    file = tmp_path / "questions.jsonl"
    rows = [{"id": f"q{n}", "question": f"What is {n} + {n}?", "sum": 2 * n} for n in range(count)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def records(data: bytes) -> list[dict[str, Any]]:
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def start(home: Path, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, "batch", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    )


def grown(file: Path, lines: int) -> None:
    """Wait until the file has more than so many lines."""
    deadline = time.monotonic() + 200
    while not file.exists() or file.read_bytes().count(b"\n") <= lines:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_each_line_is_the_result_and_its_id_in_order(tiny_gguf: Path, tmp_path: Path) -> None:
    data = questions(tmp_path, 6).read_bytes() + b'{"quest\n{"question": "without an id"}'
    done = run(tmp_path, "batch", "-m", tiny_gguf, *SHORT, stdin=data)
    rows = records(done.stdout)
    assert done.returncode == 1
    assert [row["id"] for row in rows[:6]] == [f"q{n}" for n in range(6)]
    assert rows[6]["error"].startswith("line 7: not JSON")
    assert rows[7]["id"].startswith("8-")
    for row in (*rows[:6], rows[7]):
        row.pop("id")
        assert Result.model_validate(row).usage.completion_tokens > 0
    assert b"line 7: not JSON" in done.stderr
    assert b"8 items: 7 answered, 1 not answerable" in done.stderr


def test_scores_and_exit_codes(smollm2: Path, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("question,truth\nWhat is 2 + 3? Answer with one number.,987654321\n")
    model = ("-m", smollm2, "--budget", "12", "--max-tokens", "60", "--seed", "1")
    done = run(tmp_path, "batch", file, *model, "--expect-field", "truth")
    (row,) = records(done.stdout)
    assert (row["status"], done.returncode) == ("refuted", 3)
    assert b"0 of 1 right, 0.0% [" in done.stderr


@pytest.mark.slow
def test_killed_at_random_moments_every_item_is_there_once(tiny_gguf: Path, tmp_path: Path) -> None:
    file, out = questions(tmp_path, 60), tmp_path / "out.jsonl"
    chance, kills, files = random.Random(5), 0, 0
    while kills < KILLS:
        order = chance.choice([(), ("--as-finished",)])
        process = start(tmp_path, file, "--out", out, "-m", tiny_gguf, *SHORT, *order)
        before = out.read_bytes().count(b"\n") if out.exists() else 0
        if chance.random() < 0.8:
            grown(out, min(59, before + chance.randrange(12)))
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if chance.random() < 0.3 or kills == KILLS:
            done = run(tmp_path, "batch", file, "--out", out, "-m", tiny_gguf, *SHORT)
            assert done.returncode == 0, done.stderr
            names = [row["id"] for row in records(out.read_bytes())]
            assert sorted(names) == sorted(f"q{n}" for n in range(60))
            out.unlink()
            files += 1
    assert files


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(tiny_gguf: Path, tmp_path: Path) -> None:
    file, out = questions(tmp_path, 300), tmp_path / "out.jsonl"
    process = start(tmp_path, file, "--out", out, "-m", tiny_gguf, *SHORT)
    grown(out, 4)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    rows = records(out.read_bytes())
    assert process.returncode == 130
    assert 4 < len(rows) < 300
    assert all(row["finish_reason"] != "interrupted" for row in rows)
    assert f"{len(rows)} items are done; the same command goes on".encode() in said
    done = run(tmp_path, "batch", file, "--out", out, "-m", tiny_gguf, *SHORT)
    assert done.returncode == 0
    names = [row["id"] for row in records(out.read_bytes())]
    assert sorted(names) == sorted(f"q{n}" for n in range(300))
    assert f"300 items ({len(rows)} from before)".encode() in done.stderr


@pytest.mark.slow
def test_what_is_done_needs_no_model(tiny_gguf: Path, tmp_path: Path) -> None:
    file, out = questions(tmp_path, 2), tmp_path / "out.jsonl"
    assert run(tmp_path, "batch", file, "--out", out, "-m", tiny_gguf, *SHORT).returncode == 0
    whole = out.read_bytes()
    done = run(tmp_path, "batch", file, "--out", out, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert b"2 items (2 from before)" in done.stderr
    assert b"llama_cpp" not in done.stderr
    assert out.read_bytes() == whole


@pytest.mark.slow
def test_a_question_that_does_not_fit_is_one_error(tiny_gguf: Path, tmp_path: Path) -> None:
    rows = [{"question": "x" * 5000}, {"question": "short"}]
    data = "\n".join(map(json.dumps, rows)).encode()
    done = run(tmp_path, "batch", "-m", tiny_gguf, *SHORT, stdin=data)
    first, second = records(done.stdout)
    assert first["error"].startswith("line 1: the prompt has 50")
    assert second["status"] == "answered"
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/no/such/file"], "cannot read"),
        (["--concurrency", "0"], "from 1 to"),
        (["--concurrency", "many"], "auto or a number"),
        (["--out", "questions.jsonl"], "give another"),
        (["-o", "top_q=1"], "top_p"),
        (["--strategy", "linaer"], "linear"),
        (["--strategy", "linear", "-S", "x=1"], "linear takes"),
    ],
)
def test_wrong_requests_are_one_line_and_leave_files_alone(
    tiny_gguf: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    file = questions(tmp_path, 1)
    given = [str(file) if word == file.name else word for word in arguments]
    inputs = [] if arguments[0].startswith("/") else [file]
    done = run(tmp_path, "batch", *inputs, *given, "-m", tiny_gguf)
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert file.read_bytes().startswith(b'{"id"')


@pytest.mark.slow
def test_nothing_to_do_is_a_wrong_request(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "batch", "-m", tiny_gguf, stdin=b"\n\n")
    assert (done.returncode, done.stderr.strip()) == (2, b"reasoner: there is no item in the input")
    with Terminal(tmp_path, ["batch"]) as terminal:
        terminal.expect("try: reasoner batch questions.jsonl")
        assert terminal.wait() == 2


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(tiny_gguf: Path, tmp_path: Path) -> None:
    process = start(tmp_path, questions(tmp_path, 200), "-m", tiny_gguf, *SHORT)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b'{"id":"q0"')
    process.stdout.close()
    assert process.wait(timeout=100) == 0
    assert process.stderr is not None
    with process.stderr:
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_progress_at_a_terminal(tiny_gguf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments: list[str | Path] = [
        "batch",
        questions(tmp_path, 120),
        "--out",
        out,
        "-m",
        tiny_gguf,
        *SHORT,
    ]
    with Terminal(tmp_path, arguments) as terminal:
        terminal.expect("a minute · ")
        terminal.expect("left · ")
        terminal.expect("120 items: 120 answered")
        assert terminal.wait() == 0
