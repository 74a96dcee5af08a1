"""The caches on the real command: the same question twice, and what `reasoner cache` says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, run

BRIEF = ("--budget", "8", "--max-tokens", "40", "--seed", "1", "--no-verify", "--show-reasoning")


@pytest.mark.slow
def test_the_second_time_an_answer_comes_from_the_cache(tiny_gguf: Path, tmp_path: Path) -> None:
    asked: list[str | Path] = ["ask", "hi", "-m", tiny_gguf, *BRIEF]
    first, second = run(tmp_path, *asked), run(tmp_path, *asked)
    assert second.returncode == first.returncode == 0
    assert second.stdout == first.stdout
    assert b"from the cache" not in first.stderr
    *_, verdict = second.stderr.splitlines()
    assert verdict.endswith(b"from the cache")
    assert b"tokens/s" not in second.stderr

    told = json.loads(run(tmp_path, *asked, "--json").stdout)
    assert told["cached"]
    assert told["usage"]["completion_tokens"] == 0
    fresh = json.loads(run(tmp_path, *asked, "--json", "--no-cache").stdout)
    assert not fresh["cached"]
    assert fresh["usage"]["completion_tokens"] > 0
    assert fresh["answer"] == told["answer"]

    (results, *_) = json.loads(run(tmp_path, "cache", "info", "--json").stdout)
    assert (results["name"], results["entries"]) == ("results", 1)
    assert 0 < results["bytes"] < results["limit"]
    cleared = run(tmp_path, "cache", "clear", "--json").stdout
    assert json.loads(cleared)["removed"]["results"] == 1
    assert b"     0 entries" in run(tmp_path, "cache", "info").stdout


@pytest.mark.slow
def test_an_answer_from_the_cache_needs_no_machinery(tiny_gguf: Path, tmp_path: Path) -> None:
    asked = ["ask", "hi", "-m", str(tiny_gguf), *BRIEF]
    done = run(tmp_path, *asked)
    assert done.returncode == 0
    again = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reasoner", *asked],
        capture_output=True,
        env=environment(tmp_path),
        check=True,
        text=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in again.stderr.splitlines()}
    assert "reasoner.cache.results" in imported
    machinery = {
        "reasoner.solver.interface",
        "reasoner.engine.local.engine",
        "reasoner.trace.writer",
        "llama_cpp",
    }
    heavy = {"numpy", "sympy", "jinja2", "prompt_toolkit", "rich.console", "httpx"}
    assert not imported & (machinery | heavy)


def test_an_unknown_cache_is_a_wrong_request(tmp_path: Path) -> None:
    done = run(tmp_path, "cache", "clear", "result")
    assert done.returncode == 2
    assert b"did you mean results" in done.stderr
