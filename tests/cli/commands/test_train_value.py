"""`reasoner train value`: from rollouts to a head that `--value self` reads."""

import json
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.models.checksum import model_checksum
from reasoner.models.registry import load_value_formats
from reasoner.types.problem import Problem
from reasoner.value.head import read_value_head
from reasoner.value.model import ValueModel
from reasoner.value.self_test import trajectory_of_steps
from reasoner.value.step_features import FEATURE_NAMES
from tests.cli.command import run
from tests.datagen.rollouts.studies import write_study


@pytest.mark.slow
async def test_the_head_scores_paths(tiny_gguf: Path, tmp_path: Path) -> None:
    sha256 = model_checksum(tiny_gguf)
    data = write_study(tmp_path / "a.jsonl", width=len(FEATURE_NAMES), sha256=sha256)
    out = tmp_path / "new" / "head.gguf"
    done = run(tmp_path, "train", "value", data, "--out", out, "--json", seconds=200)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == 40
    assert out.stat().st_size < 2_000_000
    assert [path.name for path in out.parent.iterdir()] == ["head.gguf"]
    head = read_value_head(out)
    assert (head.base_sha256, head.seed) == (sha256, 0)
    assert "40 problems" in head.data
    engine = await LocalEngine.open(tiny_gguf)
    try:
        model = ValueModel("self", engine, load_value_formats()["head"], head)
        problem = Problem(question="What is 2 + 2?")
        trajectory = trajectory_of_steps(engine, problem, ["2 + 2 = 4", "So it is 4.", "x" * 40])
        whole = await model.new_scorer().score_steps(problem, trajectory)
        scorer = model.new_scorer()
        for count in range(1, 4):
            grown = trajectory_of_steps(engine, problem, ["2 + 2 = 4", "So it is 4.", "x" * 40])
            kept = grown.model_copy(
                update={
                    "steps": grown.steps[:count],
                    "tokens": grown.tokens[: sum(step.tokens for step in grown.steps[:count])],
                }
            )
            scores = await scorer.score_steps(problem, kept)
        assert scores == pytest.approx(whole, abs=1e-3)
        assert all(0 <= score <= 1 for score in whole)
        assert not np.allclose(whole, whole[0])
    finally:
        await engine.close()


@pytest.mark.slow
def test_mistakes_are_one_line(tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_text("hello\n")
    small = write_study(tmp_path / "small.jsonl", problems=2)
    for data, words in (
        (tmp_path / "none.jsonl", b"cannot read"),
        (torn, b"was not made by"),
        (small, b"too few"),
    ):
        done = run(tmp_path, "train", "value", data, "--out", tmp_path / "head.gguf")
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "head.gguf").exists()
