"""Think blocks: opened for the model, closed for it when need be, never at the answer's cost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path as File

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.settings import Limits
from reasoner.types.trajectory import Decision
from tests.protocol.writing import open_engine, write
from tests.tiny_gguf import CHATML, THINK_CHATML, THINK_TOKENS, write_tiny_gguf


@pytest.fixture
async def engine(tmp_path: File) -> AsyncIterator[LocalEngine]:
    engine = await open_engine(
        write_tiny_gguf(tmp_path / "t.gguf", extra_tokens=THINK_TOKENS, chat_template=THINK_CHATML)
    )
    yield engine
    await engine.close()


async def test_the_template_names_the_protocol(engine: LocalEngine) -> None:
    assert choose_protocol(engine, THINK_CHATML, None).name == "think"


async def test_a_vocabulary_with_the_tags_proves_nothing(engine: LocalEngine) -> None:
    assert choose_protocol(engine, CHATML, None).name == "plain"


async def test_the_reply_is_opened_with_the_tag(engine: LocalEngine) -> None:
    trajectory = await write(engine, Limits(budget=20, max_tokens=100))
    prompt = engine.detokenize(trajectory.prompt, special=True)
    assert prompt.endswith("<|im_start|>assistant\n<think>\n")
    assert "boxed" in prompt


async def test_a_template_that_opens_the_block_is_left_alone(engine: LocalEngine) -> None:
    protocol = choose_protocol(engine, "", "think")
    assert protocol.reply_prefix("…assistant\n<think>\n", think=True) == ""
    assert protocol.reply_prefix("…assistant\n", think=False) == "<think>\n\n</think>\n\n"


@pytest.mark.slow
@pytest.mark.parametrize("budget", [1, 30, 120])
async def test_an_unclosed_block_never_costs_the_answer(engine: LocalEngine, budget: int) -> None:
    limits = Limits(budget=budget, max_tokens=400)
    for trajectory in await asyncio.gather(*(write(engine, limits, seed) for seed in range(12))):
        text = engine.detokenize(trajectory.tokens, special=True)
        assert text.count("</think>") >= 1
        assert trajectory.answer.strip()
        assert "think>" not in trajectory.answer


@pytest.mark.parametrize(("budget", "most"), [(16, 40), (16, 28), (1000, 30), (0, 8)])
async def test_max_tokens_never_costs_the_answer(
    engine: LocalEngine, budget: int, most: int
) -> None:
    limits = Limits(budget=budget, max_tokens=most)
    for trajectory in await asyncio.gather(*(write(engine, limits, seed) for seed in range(8))):
        assert len(trajectory.tokens) <= most
        assert trajectory.answer.strip()


@pytest.mark.slow
async def test_min_and_max_steps_hold(engine: LocalEngine) -> None:
    limits = Limits(min_steps=3, max_steps=5, budget=300, max_tokens=1200)
    for trajectory in await asyncio.gather(*(write(engine, limits, seed) for seed in range(12))):
        ends = [step.decision is Decision.END for step in trajectory.steps]
        assert 3 <= ends.index(True) + 1 <= 5  # noise may open a further block in its answer
        assert ends[-1]
        assert all(step.text and "<|im_end|>" not in step.text for step in trajectory.steps)


async def test_no_think_answers_at_once(engine: LocalEngine) -> None:
    trajectory = await write(engine, Limits(think=False, max_tokens=60))
    assert trajectory.steps == ()
    assert trajectory.answer
    prompt = engine.detokenize(trajectory.prompt, special=True)
    assert prompt.endswith("<think>\n\n</think>\n\n")
    assert "step by step" not in prompt
