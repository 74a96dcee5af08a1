"""A reasoning that goes in circles is landed softly: it ends, and an answer follows."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from reasoner.engine.sampling import GREEDY
from reasoner.settings import Limits
from reasoner.types.trajectory import FinishReason, Trajectory
from tests.protocol.writing import open_engine, write
from tests.scripted_gguf import write_scripted_gguf
from tests.tiny_gguf import THINK_TOKENS

BUDGET = 1500
LATEST_LANDING_TOKENS = 300
CIRCLE = ["So we ", "count the ", "boxes once ", "more and ", "get the ", "same number. "]
PARAGRAPHS = ["Let me check ", "that again. ", "It is ", "still the ", "same.\n\n", "Hmm. "]


async def recite(
    path: Path, script: Sequence[str], protocol: str, limits: Limits, kind: str = "control"
) -> Trajectory:
    """The trajectory of a model that recites the script for ever, until `</think>` stands there."""
    model = write_scripted_gguf(
        path / "loop.gguf",
        script,
        ["It is", " forty.", "<|im_end|>"],
        switch=["</think>"],
        control=THINK_TOKENS if kind == "control" else (),
        user_defined=THINK_TOKENS if kind == "user_defined" else (),
        loop=True,
    )
    engine = await open_engine(model)
    trajectory = await write(engine, limits, protocol=protocol, sampling=GREEDY)
    await engine.close()
    return trajectory


@pytest.mark.parametrize("script", [CIRCLE, PARAGRAPHS], ids=["one paragraph", "paragraphs"])
@pytest.mark.parametrize("kind", ["control", "user_defined"])
async def test_a_thought_that_never_ends_is_closed_and_answered(
    tmp_path: Path, script: list[str], kind: str
) -> None:
    trajectory = await recite(tmp_path, script, "think", Limits(budget=BUDGET), kind)
    assert trajectory.is_done
    assert trajectory.answer.endswith("It is forty.")
    assert trajectory.finish_reason is FinishReason.STOP
    assert 0 < trajectory.reasoning_tokens < LATEST_LANDING_TOKENS


async def test_a_circle_ends_at_the_end_of_its_sentence(tmp_path: Path) -> None:
    trajectory = await recite(tmp_path, CIRCLE, "think", Limits(budget=BUDGET))
    assert trajectory.steps[-1].text.endswith("same number.")


async def test_a_model_without_marks_is_made_to_answer_as_well(tmp_path: Path) -> None:
    limits = Limits(budget=BUDGET, max_tokens=BUDGET)
    trajectory = await recite(tmp_path, CIRCLE, "plain", limits)
    assert trajectory.is_done
    assert not trajectory.soft_stopped
    assert trajectory.reasoning_tokens < LATEST_LANDING_TOKENS


async def test_the_minimum_of_steps_is_kept_to(tmp_path: Path) -> None:
    trajectory = await recite(tmp_path, CIRCLE, "think", Limits(budget=BUDGET, min_steps=9))
    assert trajectory.is_done
    assert len(trajectory.steps) >= 9
    assert trajectory.answer.endswith("It is forty.")
