"""`reasoner eval` as a person runs it: a table, files, and going on where it was stopped."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.scripted_gguf import write_scripted_gguf

pytestmark = pytest.mark.slow


def test_a_comparison_that_goes_on_where_it_stopped(tmp_path: Path) -> None:
    model = write_scripted_gguf(tmp_path / "s.gguf", ["Final answer: 4", "<|im_end|>"])
    data = tmp_path / "sums.jsonl"
    rows = [{"id": n, "question": "2+2?", "answer": 4 + n % 2} for n in range(4)]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out = tmp_path / "out"
    arguments = ("eval", str(data), "-m", str(model), "--compare", "seed=0,1", "--out", str(out))
    done = run(tmp_path, *arguments, "--effort", "low", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(each["variant"], each["right"], each["n"]) for each in report["variants"]] == [
        ("0", 2, 4),
        ("1", 2, 4),
    ]
    assert (out / "report.html").read_text().count("<svg") >= 2
    records = (out / "1.jsonl").read_text().splitlines()
    (out / "1.jsonl").write_text(f'{records[0]}\n{{"id":')
    again = run(tmp_path, *arguments, "--effort", "low", "--json")
    assert json.loads(again.stdout)["variants"][1]["right"] == 2
    assert len((out / "1.jsonl").read_text().splitlines()) == 4
    other = run(tmp_path, *arguments, "--effort", "medium")
    assert other.returncode == 2
    assert b"other questions or settings" in other.stderr
