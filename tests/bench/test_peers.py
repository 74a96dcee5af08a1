"""What contenders made of the same problems, side by side, over several runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contender_results import ContenderResult, compare_with_base, load_results
from tests.serve.process import serving

ROOT = Path(__file__).parents[2]


def tried(right: bool, seconds: float) -> ContenderResult:
    return ContenderResult(id="0", by="us", right=right, seconds=seconds)


def test_what_is_won_and_lost_is_counted_in_pairs() -> None:
    base = [tried(True, 1.0)] * 50 + [tried(False, 3.0)] * 50
    peer = [tried(True, 4.0)] * 40 + [tried(False, 4.0)] * 40 + [tried(True, 4.0)] * 20
    assert compare_with_base(peer, base) == "20 won, 10 lost: +10 [-1, +21], 2.0 times as long"


LINE = '{"id":"0","by":"us","right":true,"seconds":1.0}\n'


@pytest.mark.parametrize(
    "held",
    [
        "notes of mine",
        "notes\nof mine\n",
        f"{LINE}notes of mine",
        LINE.replace('"0"', '"7"'),
        LINE.replace("us", "others") + '{"id":"1","by',
        b"\xff\xfe".decode("latin-1") + LINE,
    ],
)
def test_what_is_no_part_of_the_comparison_is_left_as_it_is(tmp_path: Path, held: str) -> None:
    path = tmp_path / "held"
    path.write_bytes(held.encode("latin-1"))
    with pytest.raises(SystemExit, match="give another file to --out"):
        load_results(path, {"0", "1"}, ["us", "them"])
    assert path.read_bytes() == held.encode("latin-1")


def test_a_trial_that_was_kept_twice_counts_once_and_a_part_of_one_goes(tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.write_text(LINE * 2 + LINE[:9])
    assert len(load_results(path, {"0"}, ["us", "them"])) == 1
    assert path.read_text() == LINE * 2


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    asked = [{"id": str(n), "question": f"{n} + 1?", "answer": str(n + 1)} for n in range(3)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    return path


def compared(data: Path, model: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.peers", str(data), "--model", str(model)]
    command += ["--out", str(data.with_name("kept.jsonl")), "--set", "max_tokens=16", *more]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


def kept(data: Path) -> list[ContenderResult]:
    lines = data.with_name("kept.jsonl").read_text().splitlines()
    return [ContenderResult.model_validate_json(line) for line in lines]


def test_a_comparison_goes_on_where_it_was_ended(smollm2: Path, data: Path) -> None:
    first = compared(data, smollm2, "--samples", "1", "--n", "1")
    assert first.returncode == 0, first.stderr
    ours, loop = before = kept(data)
    assert ours.by == f"reasoner model={smollm2} max_tokens=16"
    assert loop.by == "llama_cpp.Llama, majority of 1"
    out = data.with_name("kept.jsonl")
    out.write_text(out.read_text() + '{"id": "1", "by')

    second = compared(data, smollm2, "--samples", "1", "--n", "2")
    assert second.returncode == 0, second.stderr
    assert "| 2 problems, seed 0 | right |" in second.stdout
    after = kept(data)
    assert after[:2] == before
    assert [trial.by for trial in after] == [ours.by, loop.by] * 2
    assert len({trial.id for trial in after}) == 2

    other = compared(data, smollm2, "--samples", "1", "--n", "2", "--set", "effort=low")
    assert other.returncode == 1
    assert other.stderr == f"{out} keeps another comparison: give another file to --out\n"


def test_servers_are_asked_side_by_side_one_after_the_other(
    smollm2: Path, data: Path, tmp_path: Path
) -> None:
    asked = ("--n", "3", "--at-once", "2", "--samples", "2", "--also", "max_tokens=8", "seed=1")
    with serving(tmp_path, smollm2, "--max-tokens", "16") as server:
        url = f"{server.address}/v1"
        done = compared(data, smollm2, *asked, "--majority", url, "--endpoint", url)
    assert done.returncode == 0, done.stderr
    assert "| 3 problems, seed 0 | right |" in done.stdout
    ours = f"reasoner model={smollm2} max_tokens=16 (2 at once)"
    also = f"reasoner model={smollm2} max_tokens=8 seed=1 (2 at once)"
    trials = kept(data)
    order = [by for by in (ours, also, "server, majority of 2", "default") for _ in range(3)]
    assert [trial.by for trial in trials] == order
    assert all(trial.seconds > 0 for trial in trials)


def test_a_server_may_be_all_there_is_to_compare_with(
    smollm2: Path, data: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, smollm2, "--max-tokens", "16") as server:
        url = f"{server.address}/v1"
        done = compared(data, smollm2, "--n", "1", "--samples", "0", "--endpoint", url)
    assert done.returncode == 0, done.stderr
    assert [trial.by for trial in kept(data)] == [
        f"reasoner model={smollm2} max_tokens=16",
        "default",
    ]


def test_a_server_that_does_not_answer_is_named(smollm2: Path, data: Path) -> None:
    asked = ("--majority", "http://127.0.0.1:9/v1")
    done = compared(data, smollm2, "--n", "1", *asked)
    assert done.returncode == 1
    assert "no answer of http://127.0.0.1:9/v1/chat/completions: " in done.stderr
    assert "no problem was answered by all" in done.stderr
    assert "Traceback" not in done.stderr
    (ours,) = kept(data)

    theirs = ContenderResult(id=ours.id, by="server, majority of 8", right=True, seconds=1.0)
    with data.with_name("kept.jsonl").open("a") as out:
        out.write(f"{theirs.model_dump_json()}\n")
    done = compared(data, smollm2, "--n", "2", *asked)
    assert done.returncode == 1
    assert "| 1 problems, seed 0 | right |" in done.stdout
    assert "no answer of " in done.stderr


@pytest.mark.parametrize("asked", [("-1",), ("0", "--majority", "http://127.0.0.1:9/v1")])
def test_a_majority_of_nobody_is_refused(smollm2: Path, data: Path, asked: tuple[str, ...]) -> None:
    done = compared(data, smollm2, "--samples", *asked)
    assert done.returncode == 2
    assert done.stderr.endswith("--samples has to be 0 or more, and 1 or more with --majority\n")
    assert not data.with_name("kept.jsonl").exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("effort",), "--also takes key=value, such as --also effort=low; got 'effort'"),
        (("model=other",), "--also cannot change model: use another run"),
        (("max_tokens=16",), "two contenders have one name: "),
    ],
)
def test_another_of_ours_that_could_not_be_told_apart_is_refused(
    smollm2: Path, data: Path, asked: tuple[str, ...], told: str
) -> None:
    done = compared(data, smollm2, "--also", *asked)
    assert done.returncode == 1
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) == 1
    assert not data.with_name("kept.jsonl").exists()


def test_problems_that_are_not_there(smollm2: Path, tmp_path: Path) -> None:
    done = compared(tmp_path / "none.jsonl", smollm2)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'none.jsonl'}: No such file or directory\n"
