"""The self-test lets in who can tell right from wrong, and nobody else."""

from pathlib import Path

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import ModelError
from reasoner.models.format import StepPair
from reasoner.models.registry import load_value_formats
from reasoner.value.model import ValueModel
from reasoner.value.self_test import run_self_test
from tests.tiny_gguf import write_tiny_gguf
from tests.value.models import form, write_judge

ENDINGS = [StepPair(f"What is {n} + {n}?", f"{n} says 4", f"{n} says 5") for n in range(4)]


async def test_a_model_that_knows_passes(tmp_path: Path) -> None:
    engine = await LocalEngine.open(write_judge(tmp_path / "judge.gguf"))
    trial = await run_self_test(ValueModel("knows", engine, form()), ENDINGS)
    await engine.close()
    assert trial.right_mean > 0.9
    assert trial.wrong_mean < 0.1
    assert trial.ordered_share == 1.0


async def test_a_model_that_knows_the_opposite_is_refused(tmp_path: Path) -> None:
    engine = await LocalEngine.open(write_judge(tmp_path / "judge.gguf", good="5", bad="4"))
    with pytest.raises(ModelError, match="0 of 4 pairs"):
        await run_self_test(ValueModel("lies", engine, form()), ENDINGS)
    await engine.close()


async def test_liking_a_number_is_not_enough(tmp_path: Path) -> None:
    """The pairs mirror each other, so who only likes 4 more than 5 gains nothing."""
    engine = await LocalEngine.open(write_judge(tmp_path / "judge.gguf"))
    with pytest.raises(ModelError) as caught:
        await run_self_test(ValueModel("likes-4", engine, form("plus")))
    await engine.close()
    message = str(caught.value)
    assert "likes-4 with the format plus" in message
    assert message.count("0.") >= 2
    assert "\n" not in message


async def test_random_weights_are_refused_most_of_the_time(tmp_path: Path) -> None:
    refused = 0
    for seed in range(8):
        model = write_tiny_gguf(tmp_path / f"{seed}.gguf", seed=seed)
        engine = await LocalEngine.open(model)
        try:
            await run_self_test(ValueModel("noise", engine, form()))
        except ModelError:
            refused += 1
        await engine.close()
    assert refused >= 6


async def test_a_model_too_small_to_judge_is_refused(smollm2: Path) -> None:
    engine = await LocalEngine.open(smollm2)
    with pytest.raises(ModelError, match="cannot tell right steps"):
        await run_self_test(ValueModel("smollm2", engine, load_value_formats()["judge"]))
    await engine.close()
