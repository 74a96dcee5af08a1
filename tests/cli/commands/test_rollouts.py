"""`reasoner data rollouts` as a command: killed and begun again, interrupted, misused."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, environment, run

SMALL = ("--samples", "2", "--max-tokens", "40", "--at-once", "2")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"question": f"What is {n} + {n}?", "answer": 2 * n} for n in range(40)]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path: Path) -> list[dict[str, object]]:
    """The solutions, but for a line that is being written."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0].split(b"\n")
    return [json.loads(line) for line in whole[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_and_begun_again(tiny_gguf: Path, data: Path, tmp_path: Path, how: int) -> None:
    out = tmp_path / "out.jsonl"
    command = ("data", "rollouts", str(data), "--out", str(out), "-m", str(tiny_gguf), *SMALL)
    with subprocess.Popen(
        [*COMMAND, *command], env=environment(tmp_path), stderr=subprocess.PIPE
    ) as child:
        while len(lines(out)) < 4 and child.poll() is None:
            time.sleep(0.02)
        child.send_signal(how)
        said = child.communicate(timeout=60)[1]
    if how == signal.SIGINT:
        assert child.returncode == 130
        assert b"problems are in" in said
        assert b"Traceback" not in said
    before = lines(out)
    done = run(tmp_path, *command)
    assert done.returncode == 0
    assert b"40 of 40 problems" in done.stderr
    assert done.stdout == b""
    after = lines(out)
    assert after[: len(before)] == before
    assert len({(one["problem"], one["number"]) for one in after}) == len(after) == 80


@pytest.mark.slow
def test_mistakes_are_one_line(tiny_gguf: Path, data: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out.jsonl", ("-m", tiny_gguf)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"question": "?"}\n')
    for arguments, words in (
        ((tmp_path / "none.jsonl", "--out", out), b"cannot read"),
        ((bad, "--out", out), b"line 1: an answer is needed"),
        ((data, "--out", out, "--samples", "-1"), b"samples"),
        ((data, "--out", data), b"was not made by"),
    ):
        done = run(tmp_path, "data", "rollouts", *arguments, *model)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert len(data.read_text().splitlines()) == 40
