"""`reasoner strategies list`, and how options reach a strategy."""

import json
from pathlib import Path

import pytest

from reasoner.types.result import Result
from tests.cli.command import run


def test_the_list_is_for_people_and_for_programs(tmp_path: Path) -> None:
    shown = run(tmp_path, "strategies", "list").stdout.decode()
    rows = json.loads(run(tmp_path, "strategies", "list", "--json").stdout)
    for row in rows:
        assert f"{row['name']:<20} {row['summary']}" in shown
        for option in row["options"]:
            assert f"    {option['name']}=" in shown
    assert {"linear", "majority", "best-of-n"} <= {row["name"] for row in rows}


@pytest.mark.slow
def test_options_reach_the_strategy(tiny_gguf: Path, tmp_path: Path) -> None:
    short = ("-m", tiny_gguf, "--budget", "12", "--max-tokens", "30", "--no-verify")
    done = run(tmp_path, "ask", "hi", *short, "--strategy", "best-of-n", "-S", "n=3", "--json")
    assert len(Result.model_validate_json(done.stdout).candidates) == 3


@pytest.mark.slow
def test_a_bad_option_is_refused_before_the_model_is_loaded(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "hi", "--strategy", "majority", "-S", "size=3")
    assert done.returncode == 2
    assert b"majority takes: n, at_once" in done.stderr
    done = run(tmp_path, "ask", "hi", "-S", "n")
    assert done.returncode == 2
    assert b"-S n=8" in done.stderr


def test_a_search_shows_a_line_for_each_candidate(smollm2: Path, tmp_path: Path) -> None:
    short = ("-m", smollm2, "--budget", "40", "--max-tokens", "80", "--strategy", "majority")
    ask = (
        "ask",
        "How much are two pens at 3 euros each?",
        *short,
        "-S",
        "n=2",
        "-S",
        "adaptive=false",
        "-S",
        "at_once=1",
    )
    done = run(tmp_path, *ask, "--show-reasoning")
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("candidate ")]
    assert [line.split(":")[0] for line in sorted(lines)] == [
        "candidate 1 of 2",
        "candidate 2 of 2",
    ]
    assert done.stdout.count(b"\n") >= 1
    hidden = run(tmp_path, *ask)
    assert len(hidden.stderr.decode().splitlines()) == 1
    assert hidden.stdout == done.stdout
