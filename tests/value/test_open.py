"""From `--value MODEL` to a tested value model: which file, which format, which head."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import ModelError, UnknownName, UsageError
from reasoner.models.checksum import model_checksum
from reasoner.models.format import StepPair
from reasoner.models.resolve import ResolvedModel, resolve_model
from reasoner.open_model import OpenModel
from reasoner.settings import Settings
from reasoner.solver.local import LocalSolver
from reasoner.types.problem import Problem
from reasoner.value import open as opening
from reasoner.value.head import ValueHead, write_value_head
from reasoner.value.model import ValueModel
from reasoner.value.open import open_value_model
from reasoner.value.self_test import SELF_TEST_PAIRS, Trial, run_self_test
from reasoner.value.step_features import FEATURE_NAMES
from tests.tiny_gguf import WIDTH, write_tiny_gguf
from tests.value.models import write_judge

ENDINGS = [StepPair(f"What is {n} + {n}?", f"{n} says 4", f"{n} says 5") for n in range(4)]
PLUS = """
[value-formats.plus]
layout = "text"
opening = "{question}\\n"
good = ["+"]
bad = ["-"]
aggregation = "prod"
"""
Opened = Callable[..., "ValueModel"]


@pytest.fixture
def known(own_directories: Path) -> Path:
    """A user's own format, and an entry for a judge that uses it."""
    config = own_directories / "config"
    config.mkdir()
    write_judge(config / "judge.gguf")
    entry = '[judge]\npath = "judge.gguf"\nuse = "value"\nformat = "plus"\n'
    (config / "models.toml").write_text(PLUS + entry)
    return config / "judge.gguf"


async def opened(
    policy: Path, pairs: Sequence[StepPair] = ENDINGS, **options: object
) -> tuple[str, str, bool, list[str]]:
    """Name, format and whether the policy's engine is used, and the notices; then all is closed."""
    notices: list[str] = []
    settings = Settings.load(model=str(policy), **options)
    engine = await LocalEngine.open(policy, settings.engine)
    loaded = OpenModel(ResolvedModel(name=str(policy), path=policy), engine)
    try:
        async with open_value_model(settings, loaded, notices.append, pairs=pairs) as model:
            assert isinstance(model, ValueModel)
            return model.name, model.value_format.name, model.engine is engine, notices
    finally:
        await engine.close()


async def test_no_value_model_unless_one_is_named(tiny_gguf: Path) -> None:
    engine = await LocalEngine.open(tiny_gguf)
    loaded = OpenModel(ResolvedModel(name="tiny", path=tiny_gguf), engine)
    async with open_value_model(Settings.load(model=str(tiny_gguf)), loaded, print) as model:
        assert model is None
    await engine.close()


async def test_a_second_model_is_loaded_and_said(tiny_gguf: Path, known: Path) -> None:
    name, form, shared, notices = await opened(tiny_gguf, value="judge")
    assert (name, form, shared) == ("judge", "plus", False)
    assert "two models in memory" in notices[0]


@pytest.mark.parametrize("by_path", [False, True])
async def test_the_policy_judges_itself_in_its_own_cache(known: Path, by_path: bool) -> None:
    value = str(known) if by_path else "self"
    _, form, shared, notices = await opened(known, value=value, value_format="plus")
    assert (form, shared, notices) == ("plus", True, [])


async def test_a_head_reads_the_policys_own_doubts(smollm2: Path, tmp_path: Path) -> None:
    weight = np.zeros((1, len(FEATURE_NAMES)), np.float32)
    weight[0, FEATURE_NAMES.index("surprise of digits")] = -1.0
    head = ValueHead(((weight, np.zeros(1, np.float32)),), aggregation="mean")
    write_value_head(tmp_path / "head.gguf", head)
    place = tmp_path / "head.gguf"
    _, form, shared, _ = await opened(smollm2, SELF_TEST_PAIRS, value="self", value_head=place)
    assert (form, shared) == ("head", True)


async def test_the_registrys_own_head_scores_unasked(
    known: Path, own_directories: Path, tiny_gguf: Path
) -> None:
    layer = (np.ones((1, len(FEATURE_NAMES)), np.float32), np.zeros(1, np.float32))
    write_value_head(
        known.parent / "own.gguf", ValueHead((layer,), base_sha256=model_checksum(tiny_gguf))
    )
    entry = f'[tiny]\npath = "{tiny_gguf}"\nhead = "own.gguf"\n'
    (known.parent / "models.toml").write_text(entry)
    model_file = resolve_model("tiny", offline=True, on_notice=print)
    engine = await LocalEngine.open(model_file.file)
    try:
        for value, expected in ((None, "self"), ("off", None)):
            settings = Settings.load(model="tiny", value=value)
            async with open_value_model(settings, OpenModel(model_file, engine), print) as model:
                assert (model and model.name) == expected
    finally:
        await engine.close()


async def test_a_head_of_another_model_is_refused(known: Path, tmp_path: Path) -> None:
    layer = (np.ones((1, WIDTH), np.float32), np.zeros(1, np.float32))
    write_value_head(tmp_path / "head.gguf", ValueHead((layer,), base_sha256="0" * 64))
    with pytest.raises(ModelError, match="trained on another model"):
        await opened(known, value="self", value_head=tmp_path / "head.gguf")


async def test_what_cannot_serve_is_refused(tiny_gguf: Path, known: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot tell right steps"):
        await opened(tiny_gguf, value="self", value_format="plus")
    other = write_tiny_gguf(tmp_path / "other.gguf", extra_tokens=("<|own|>",))
    with pytest.raises(ModelError, match="policy's own tokens"):
        await opened(other, value="judge", value_format="self-judge")
    with pytest.raises(ModelError, match="cannot tell right steps"):  # it can read them
        await opened(tiny_gguf, value="judge", value_format="self-judge")
    with pytest.raises(ModelError, match="--value-head"):
        await opened(tiny_gguf, value="self", value_format="head")
    with pytest.raises(UnknownName, match="did you mean plus"):
        await opened(tiny_gguf, value="judge", value_format="plsu")
    with pytest.raises(UsageError):
        await opened(tiny_gguf, value="nothing-like-it")


async def test_the_result_names_the_value_model_and_its_tokens(
    smollm2: Path, known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def on_endings(model: ValueModel, _pairs: object) -> Trial:
        return await run_self_test(model, ENDINGS)

    monkeypatch.setattr(opening, "run_self_test", on_endings)
    settings = Settings.load(
        model=str(smollm2),
        value="judge",
        strategy="best_of_n",
        strategy_options={"n": 2},
        budget=60,
    )
    async with LocalSolver(settings) as solver:
        result = await solver.solve(Problem(question="What is 2 + 2?"))
    assert result.value_model == "judge"
    assert result.usage.value_tokens > 0
