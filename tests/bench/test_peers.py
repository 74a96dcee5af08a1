"""What contenders made of the same problems, side by side, over several runs."""

import json
import subprocess
import sys
from pathlib import Path

from bench.peers import Trial, against

ROOT = Path(__file__).parents[2]


def test_what_is_won_and_lost_is_counted_in_pairs() -> None:
    base = [Trial(True, 1.0)] * 50 + [Trial(False, 3.0)] * 50
    peer = [Trial(True, 4.0)] * 40 + [Trial(False, 4.0)] * 40 + [Trial(True, 4.0)] * 20
    assert against(peer, base) == "20 won, 10 lost: +10 [-1, +21], 2.0 times as long"


def test_a_comparison_goes_on_where_it_was_ended(smollm2: Path, tmp_path: Path) -> None:
    data, kept = tmp_path / "data.jsonl", tmp_path / "kept.jsonl"
    asked = [{"id": str(n), "question": f"{n} + 1?", "answer": str(n + 1)} for n in range(2)]
    data.write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    command = [sys.executable, "-m", "bench.peers", str(data), "--model", str(smollm2)]
    command += ["--samples", "1", "--out", str(kept), "--set", "max_tokens=16"]

    def compared(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )

    first = compared("--n", "1")
    assert first.returncode == 0, first.stderr
    (row,) = map(json.loads, kept.read_text().splitlines())
    assert list(row["trials"]) == ["reasoner max_tokens=16", "llama_cpp.Llama, majority of 1"]
    kept.write_text(kept.read_text() + '{"id": "1", "tri')

    second = compared("--n", "2")
    assert second.returncode == 0, second.stderr
    assert "| 2 problems, seed 0 | right |" in second.stdout
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert rows[0] == row
    assert sorted(one["id"] for one in rows) == ["0", "1"]

    other = compared("--n", "2", "--set", "effort=low")
    assert other.returncode == 1
    assert other.stderr == f"{kept} keeps another comparison: give another file to --out\n"
