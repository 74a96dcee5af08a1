"""What a model doubted while it wrote a path is kept with the path, and scores it for nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.models.registry import load_value_formats
from reasoner.types.problem import Problem
from reasoner.types.token_statistics import TokenStatistics
from reasoner.types.trajectory import Trajectory as Thought
from reasoner.value.head import ValueHead
from reasoner.value.model import ValueModel
from reasoner.value.step_features import FEATURE_NAMES, StepFeatureExtractor
from tests.workbench import Workbench, workbench

PROBLEM = Problem(question="What is 12 + 30?")
WEIGHTS = np.linspace(-0.5, 0.5, len(FEATURE_NAMES), dtype=np.float32)[None]
HEAD = ValueHead(((WEIGHTS, np.zeros(1, np.float32)),))


@pytest.fixture
async def bench(tiny_gguf: Path) -> AsyncIterator[Workbench]:
    async with workbench(tiny_gguf, budget=None, max_tokens=200) as bench:
        yield bench


async def drawn(bench: Workbench) -> Thought:
    trajectory = bench.context.policy.start_trajectory(PROBLEM)
    while not trajectory.is_done:
        trajectory = await bench.context.policy.extend(trajectory, seed=3)
    return trajectory


def head(bench: Workbench, *, writes: bool = True) -> ValueModel:
    return ValueModel("self", bench.engine, load_value_formats()["head"], HEAD, is_policy=writes)


async def test_scoring_what_it_wrote_itself_reads_nothing(bench: Workbench) -> None:
    trajectory = await drawn(bench)
    assert len(trajectory.token_statistics) == len(trajectory.tokens) > 20
    before = bench.engine.decoded_tokens
    scorer = head(bench).new_scorer()
    scores = await scorer.score_steps(PROBLEM, trajectory)
    assert (scorer.decoded_tokens, bench.engine.decoded_tokens) == (0, before)
    reader = head(bench, writes=False).new_scorer()
    assert await reader.score_steps(PROBLEM, trajectory) == pytest.approx(scores, abs=0.05)
    assert reader.decoded_tokens > 0


async def test_what_others_wrote_is_read(bench: Workbench) -> None:
    trajectory = await drawn(bench)
    scorer = head(bench).new_scorer()
    await scorer.score_steps(PROBLEM, trajectory.model_copy(update={"token_statistics": ()}))
    assert scorer.decoded_tokens > 0


async def test_the_features_are_what_they_are_called(bench: Workbench) -> None:
    tokens = bench.engine.tokenize("a1 2", special=False)
    doubts = [TokenStatistics(float(n), 0.5 * n) for n in range(1, len(tokens) + 1)]
    row = (
        await StepFeatureExtractor(bench.engine).extract_features(
            (), tokens, [len(tokens)], statistics=doubts
        )
    )[0]
    assert len(tokens) == 4  # one for each letter: the tiny model spells
    found = dict(zip(FEATURE_NAMES, np.expm1(row), strict=True))
    wanted = {"tokens before": 0, "entropy": 5, "surprise of digits": 6, "entropy of digits": 3}
    assert found == pytest.approx(wanted, rel=1e-4)


def test_a_path_keeps_its_doubts_only_while_they_are_whole() -> None:
    doubt = TokenStatistics(1.0, 2.0)
    trajectory = Thought(prompt=(1,)).with_tokens((2, 3), (doubt, doubt))
    assert trajectory.truncated_to(1).token_statistics == (doubt,)
    placed = trajectory.with_tokens((4,))
    assert (placed.tokens, placed.token_statistics) == ((2, 3, 4), ())
    assert placed.with_tokens((5,), (doubt,)).token_statistics == ()
    assert placed.truncated_to(2).token_statistics == ()
