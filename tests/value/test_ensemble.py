"""Ensembles of value models."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.cache.results import ResultCache
from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import UsageError
from reasoner.models.checksum import model_checksum
from reasoner.models.resolve import ResolvedModel
from reasoner.open_model import OpenModel
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.value.ensemble import ValueEnsemble, pool_scores
from reasoner.value.head import ValueHead, write_value_head
from reasoner.value.model import ValueModel
from reasoner.value.open import open_value_model
from reasoner.value.self_test import trajectory_of_steps
from reasoner.value.step_features import FEATURE_NAMES
from tests.cache.test_results import PROBLEM, result
from tests.tiny_gguf import write_tiny_gguf
from tests.value.models import STEPS, form

QUESTION = Problem(question="How many pens are there?")


@pytest.fixture
async def engine(tiny_gguf: Path) -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.open(tiny_gguf)
    yield engine
    await engine.close()


def head_file(place: Path) -> Path:
    weight = np.random.default_rng(1).standard_normal((1, len(FEATURE_NAMES)), dtype=np.float32)
    write_value_head(place, ValueHead(((weight, np.zeros(1, np.float32)),)))
    return place


async def test_each_steps_scores_are_pooled_and_all_tokens_counted(engine: LocalEngine) -> None:
    members = [
        ValueModel("tiny", engine, form("one", aggregation="prod")),
        ValueModel("tiny", engine, form("two", good=("x",), bad=("y",))),
    ]
    ensemble = ValueEnsemble(members)
    assert (ensemble.name, ensemble.aggregation) == ("tiny@one + tiny@two", "prod")
    trajectory = trajectory_of_steps(engine, QUESTION, list(STEPS[:2]))
    alone = [member.new_scorer() for member in members]
    rows = await asyncio.gather(*(scorer.score_steps(QUESTION, trajectory) for scorer in alone))
    pooled = ensemble.new_scorer()
    scores = await pooled.score_steps(QUESTION, trajectory)
    assert scores == pytest.approx(
        [pool_scores(step) for step in zip(*rows, strict=True)], abs=1e-3
    )
    assert pooled.decoded_tokens > 0


async def test_names_with_their_formats_open_an_ensemble(
    engine: LocalEngine, tiny_gguf: Path, tmp_path: Path
) -> None:
    place = head_file(tmp_path / "head.gguf")
    policy = OpenModel(ResolvedModel(name="tiny", path=tiny_gguf), engine)
    settings = Settings.load(value="self, self@judge", value_head=place)
    async with open_value_model(settings, policy, print, pairs=()) as model:
        assert isinstance(model, ValueEnsemble)
        assert model.name == "self@head + self@judge"
        assert model.engine is engine


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    odd = write_tiny_gguf(tmp_path / "a,b@c.gguf")
    assert Settings.load(value=str(odd)).value_models == ((str(odd), None),)
    assert Settings.load(value="a@x,b", value_format="y").value_models == (("a", "x"), ("b", "y"))
    address = "http://me@host:1/v1#m"
    assert Settings.load(value=f"{address}@x,{address}").value_models == (
        (address, "x"),
        (address, None),
    )


@pytest.mark.parametrize("value", ["", ",", "self,", "@judge", " "])
def test_a_value_model_without_a_name_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="no name"):
        _ = Settings.load(value=value).value_models


def test_answers_judged_by_known_models_are_kept(own_directories: Path) -> None:
    model, other = (write_tiny_gguf(own_directories / name) for name in ("a.gguf", "b.gguf"))
    settings = Settings.load(model=str(model), value=f"self@judge,{other}@judge")
    results = ResultCache()
    results.put(PROBLEM, settings, result())
    assert results.get(PROBLEM, settings) is not None
    write_tiny_gguf(other, seed=9)
    assert model_checksum(other)
    later = ResultCache()
    assert later.get(PROBLEM, settings) is None
    for one in (results, later):
        one.close()


def test_scores_meet_in_the_middle_of_the_odds() -> None:
    assert pool_scores([0.9, 0.1]) == pytest.approx(0.5)
    assert pool_scores([0.8, 0.8]) == pytest.approx(0.8)
    assert pool_scores([0.7]) == pytest.approx(0.7)
    odds = (0.9 / 0.1 * 0.5 / 0.5) ** 0.5
    assert pool_scores([0.9, 0.5]) == pytest.approx(odds / (1 + odds))


def test_no_source_decides_alone() -> None:
    assert 0 < pool_scores([0.0, 0.99]) < 0.5
    assert 0.5 < pool_scores([1.0, 0.01]) < 1
