"""The caches on the real command: the same question twice, and what `reasoner cache` says."""

import json
from pathlib import Path

from tests.cli.command import run

BRIEF = ("--budget", "8", "--max-tokens", "40", "--seed", "1", "--no-verify", "--show-reasoning")


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

    (results, _) = json.loads(run(tmp_path, "cache", "info", "--json").stdout)
    assert (results["name"], results["entries"]) == ("results", 1)
    assert 0 < results["bytes"] < results["limit"]
    cleared = run(tmp_path, "cache", "clear", "--json").stdout
    assert json.loads(cleared)["removed"]["results"] == 1
    assert b"     0 entries" in run(tmp_path, "cache", "info").stdout


def test_an_unknown_cache_is_a_wrong_request(tmp_path: Path) -> None:
    done = run(tmp_path, "cache", "clear", "result")
    assert done.returncode == 2
    assert b"did you mean results" in done.stderr
