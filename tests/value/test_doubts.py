"""What a model doubted while it wrote a path is kept with the path, and scores it for nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.doubt import Doubt
from reasoner.models.catalog import formats
from reasoner.path import Path as Thought
from reasoner.problem import Problem
from reasoner.value.doubts import FEATURES, StepReader
from reasoner.value.head import Head
from reasoner.value.model import ValueModel
from tests.workbench import Workbench, workbench

PROBLEM = Problem(question="What is 12 + 30?")
WEIGHTS = np.linspace(-0.5, 0.5, len(FEATURES), dtype=np.float32)[None]
HEAD = Head(((WEIGHTS, np.zeros(1, np.float32)),))


@pytest.fixture
async def bench(tiny_gguf: Path) -> AsyncIterator[Workbench]:
    async with workbench(tiny_gguf, budget=None, max_tokens=200) as bench:
        yield bench


async def drawn(bench: Workbench) -> Thought:
    path = bench.tools.policy.start(PROBLEM)
    while not path.done:
        path = await bench.tools.policy.extend(path, seed=3)
    return path


def head(bench: Workbench, *, writes: bool = True) -> ValueModel:
    return ValueModel("self", bench.engine, formats()["head"], HEAD, writes=writes)


async def test_scoring_what_it_wrote_itself_reads_nothing(bench: Workbench) -> None:
    path = await drawn(bench)
    assert len(path.doubts) == len(path.tokens) > 20
    before = bench.engine.decoded
    scorer = head(bench).scorer()
    scores = await scorer.score(PROBLEM, path)
    assert (scorer.tokens, bench.engine.decoded) == (0, before)
    reader = head(bench, writes=False).scorer()
    assert await reader.score(PROBLEM, path) == pytest.approx(scores, abs=0.05)
    assert reader.tokens > 0


async def test_what_others_wrote_is_read(bench: Workbench) -> None:
    path = await drawn(bench)
    scorer = head(bench).scorer()
    await scorer.score(PROBLEM, path.model_copy(update={"doubts": ()}))
    assert scorer.tokens > 0


async def test_the_features_are_what_they_are_called(bench: Workbench) -> None:
    tokens = bench.engine.tokenize("a1 2", special=False)
    doubts = [Doubt(float(n), 0.5 * n) for n in range(1, len(tokens) + 1)]
    row = (await StepReader(bench.engine).read((), tokens, [len(tokens)], doubts=doubts))[0]
    assert len(tokens) == 4  # one for each letter: the tiny model spells
    found = dict(zip(FEATURES, np.expm1(row), strict=True))
    wanted = {"tokens before": 0, "entropy": 5, "surprise of digits": 6, "entropy of digits": 3}
    assert found == pytest.approx(wanted, rel=1e-4)


def test_a_path_keeps_its_doubts_only_while_they_are_whole() -> None:
    doubt = Doubt(1.0, 2.0)
    path = Thought(prompt=(1,)).grown((2, 3), (doubt, doubt))
    assert path.cut(1).doubts == (doubt,)
    placed = path.grown((4,))
    assert (placed.tokens, placed.doubts) == ((2, 3, 4), ())
    assert placed.grown((5,), (doubt,)).doubts == ()
    assert placed.cut(2).doubts == ()
