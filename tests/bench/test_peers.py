"""What contenders made of the same problems, side by side, over several runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers import Trial, against, kept_rows

ROOT = Path(__file__).parents[2]


def test_what_is_won_and_lost_is_counted_in_pairs() -> None:
    base = [Trial(True, 1.0)] * 50 + [Trial(False, 3.0)] * 50
    peer = [Trial(True, 4.0)] * 40 + [Trial(False, 4.0)] * 40 + [Trial(True, 4.0)] * 20
    assert against(peer, base) == "20 won, 10 lost: +10 [-1, +21], 2.0 times as long"


ROW = '{"id":"0","trials":{"us":[true,1.0],"them":[false,2.0]}}\n'


@pytest.mark.parametrize(
    "held",
    [
        "notes of mine",
        "notes\nof mine\n",
        f"{ROW}notes of mine",
        ROW.replace('"0"', '"7"'),
        ROW.replace("them", "others") + '{"id":"1","tri',
        b"\xff\xfe".decode("latin-1") + ROW,
    ],
)
def test_what_is_no_part_of_the_comparison_is_left_as_it_is(tmp_path: Path, held: str) -> None:
    path = tmp_path / "held"
    path.write_bytes(held.encode("latin-1"))
    with pytest.raises(SystemExit, match="give another file to --out"):
        kept_rows(path, {"0", "1"}, ["us", "them"])
    assert path.read_bytes() == held.encode("latin-1")


def test_a_row_that_was_kept_twice_counts_once_and_a_part_of_one_goes(tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.write_text(ROW * 2 + ROW[:9])
    assert len(kept_rows(path, {"0"}, ["us", "them"])) == 1
    assert path.read_text() == ROW * 2


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
    ours, loop = row["trials"]
    assert ours == f"reasoner model={smollm2} max_tokens=16"
    assert loop == "llama_cpp.Llama, majority of 1"
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
