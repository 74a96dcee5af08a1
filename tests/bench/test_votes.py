"""Lines are drawn once and kept; ways of choosing are set side by side on them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.pool import PoolCandidate, read_pool
from bench.votes import apply_methods, print_report
from reasoner.types.candidate import Candidate
from reasoner.types.trajectory import FinishReason
from reasoner.types.trajectory import Trajectory as Thought


def line(
    number: int, final: str, tokens: int, kind: str = "text", value: float = 0.5
) -> PoolCandidate:
    trajectory = Thought(
        prompt=(1,), tokens=(2,) * tokens, answer=final, finish_reason=FinishReason.STOP
    )
    candidate = Candidate(
        number=number, trajectory=trajectory, final_answer=final, value_score=value
    )
    return PoolCandidate.model_validate(
        {
            "problem": 0,
            "question": "2 + 2?",
            "kind": kind,
            "right": final == "4",
            "attempt": candidate,
        }
    )


async def test_ways_choose_from_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Nine of sixteen are wrong but not believed in: weight and count go different ways."""
    lines = [line(0, "5", 100, "first")]
    lines += [line(n, "4", 10, value=0.9) for n in range(1, 4)]
    lines += [line(n, "5", 20, value=0.1) for n in range(4, 9)]
    lines += [line(n, "5", 20) for n in range(9, 17)]
    played = await apply_methods([lines])
    right = {name: chosen[0].right for name, chosen in played.items()}
    tokens = {name: chosen[0].tokens for name, chosen in played.items()}
    assert right["first (greedy)"] == right["majority of 8"] == right["majority of 16"] == 0.0
    assert right["weighted best of 8"] == 1.0
    assert right["one of the lines"] == pytest.approx(3 / 16)
    assert tokens["majority of 8"] == tokens["weighted best of 8"] == 3 * 10 + 5 * 20
    assert tokens["majority of 16"] == 3 * 10 + 13 * 20 > tokens["adaptive, at most 16"]
    print_report(played)
    assert "weighted best of 8 against majority of 8: 1 won, 0 lost" in capsys.readouterr().out


async def test_a_vote_pays_for_what_it_began() -> None:
    """Two agree, which is enough; or they do not, and more are begun."""
    lines = [line(0, "4", 50, "first")]
    lines += [line(n, "4", 10 * n, value=1.0) for n in range(1, 17)]
    clear = (await apply_methods([lines]))["adaptive, at most 16"][0]
    assert clear == (1.0, 10 + 20)
    lines[1] = line(1, "5", 10, value=1.0)
    split = (await apply_methods([lines]))["adaptive, at most 16"][0]
    assert split.right == 1.0
    assert clear.tokens < split.tokens < sum(10 * n for n in range(1, 9))


async def test_a_cross_check_hears_programs_until_it_is_sure() -> None:
    lines = [line(0, "4", 100, "first", 0.9)]
    lines += [line(n, "4", 10, value=0.9) for n in range(1, 17)]
    lines += [line(n, "4", 7, "program", 0.9) for n in range(17, 29)]
    name = "cross-check, 8 and 1, 80%"
    assert (await apply_methods([lines]))[name][0] == (1.0, 107)
    lines[17] = line(17, "5", 7, "program", 0.9)
    right, tokens = (await apply_methods([lines]))[name][0]
    assert right == 1.0
    assert tokens > 107 + 7


@pytest.mark.slow
async def test_reasonings_at_length_count_for_more_than_short_ones() -> None:
    lines = [line(0, "5", 100, "first", 0.9)]
    lines += [line(n, "4", 30, value=0.9) for n in range(1, 17)]
    printed = ["6", "6", "5", "5", "7", "8", "9", "10", "11", "12", "13", "5", "14", "15", "16"]
    lines += [line(n, final, 7, "program", 0.9) for n, final in enumerate(printed, 17)]
    name = "cross-check, 15 and 5, 80%"
    assert (await apply_methods([lines]))[name][0].right == 1.0
    assert (await apply_methods([lines], brief=True))[name][0].right == 0.0


def test_lines_are_drawn_once(smollm2: Path, tmp_path: Path) -> None:
    data, kept = tmp_path / "data.jsonl", tmp_path / "lines.jsonl"
    rows = [{"question": f"What is {n} + {n}, as a number?", "answer": 2 * n} for n in (3, 4)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "bench.pool", str(data), "--keep", str(kept), "--n", "2"]
    command += ["--model", str(smollm2), "--texts", "2", "--programs", "1"]
    subprocess.run([*command, "--brief"], check=True, capture_output=True)
    lines = read_pool(kept)
    assert [(one.problem, one.kind) for one in lines] == [
        (problem, kind) for problem in (0, 1) for kind in ("first", "text", "text", "program")
    ]
    cut = kept.read_text()[:-100]  # as a run that was ended leaves it
    kept.write_text(cut)
    subprocess.run(command, check=True, capture_output=True)
    assert kept.read_text().startswith(cut)
    assert len(read_pool(kept)) == len(lines)

    data.write_text(json.dumps({"question": "What is 5 + 5, as a number?", "answer": 10}) + "\n")
    before = kept.read_text()
    other = subprocess.run(command, capture_output=True, text=True)
    assert other.returncode == 1
    assert "keeps lines on other problems" in other.stderr
    assert kept.read_text() == before
