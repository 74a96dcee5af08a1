"""Puzzles are kept as they are done; what was asked in another way is not mixed with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.game24", *arguments, "--alone", "--n", "1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_rows_only(tmp_path: Path) -> None:
    data, out = tmp_path / "puzzles.jsonl", tmp_path / "rows.jsonl"
    data.write_text('{"id": "p1", "numbers": [4, 6, 1, 1], "target": 24}\n')
    command = (data, "--out", out, "--model", "smollm2-135m", "--set", "states=2")
    first = run(*command)
    assert first.returncode == 0, first.stderr
    kept = out.read_text()
    assert [json.loads(line)["id"] for line in kept.splitlines()] == ["p1"]
    again = run(*command)
    assert again.stdout == first.stdout
    other = run(*command[:-1], "states=3")
    assert other.returncode == 1
    assert other.stderr == (
        f"{out} keeps tot-dfs asked in another way: give another file to --out\n"
    )
    assert out.read_text() == kept


@pytest.mark.slow
def test_files_that_are_not_there_or_something_else_are_one_line(tmp_path: Path) -> None:
    data, out = tmp_path / "puzzles.jsonl", tmp_path / "rows.jsonl"
    missing = run(data, "--out", out)
    assert (missing.returncode, missing.stderr) == (1, f"{data}: No such file or directory\n")
    data.write_text('{"id": "p1", "numbers": [4, 6, 1, 1], "target": 24}\n')
    out.write_text('{"other": 1}\n')
    other = run(data, "--out", out)
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert out.read_text() == '{"other": 1}\n'
