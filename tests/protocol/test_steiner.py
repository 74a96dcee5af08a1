"""The steiner grammar holds token by token, whatever the model would rather say."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path as File

import pytest

from bench.grammar import GRAMMAR, count_faults, spell_tokens
from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import BadModelFile, UsageError
from reasoner.protocol.step_format import format_step
from reasoner.settings import Limits
from reasoner.types.trajectory import Decision, FinishReason, Step
from tests.protocol.writing import QUESTION, open_engine, write
from tests.tiny_gguf import STEINER_TOKENS, write_tiny_gguf
from tests.workbench import workbench


@pytest.fixture
async def engine(tmp_path: File) -> AsyncIterator[LocalEngine]:
    engine = await open_engine(write_tiny_gguf(tmp_path / "s.gguf", extra_tokens=STEINER_TOKENS))
    yield engine
    await engine.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("least", "most", "budget"), [(0, 3, 200), (2, 4, 60), (3, 3, 10), (0, 1, 400), (5, 9, 100)]
)
async def test_every_path_is_well_formed(
    engine: LocalEngine, least: int, most: int, budget: int
) -> None:
    limits = Limits(min_steps=least, max_steps=most, budget=budget, max_tokens=900)
    paths = await asyncio.gather(*(write(engine, limits, seed) for seed in range(12)))
    for trajectory in paths:
        assert GRAMMAR.fullmatch(spell_tokens(engine, trajectory)), spell_tokens(engine, trajectory)
        assert least <= len(trajectory.steps) <= most
        assert trajectory.answer
        assert trajectory.steps[-1].decision is Decision.END


@pytest.mark.slow
async def test_limits_that_contradict_each_other_are_kept(tmp_path: File) -> None:
    """The short version of bench/grammar.py."""
    model = write_tiny_gguf(tmp_path / "s.gguf", extra_tokens=STEINER_TOKENS)
    found = await count_faults(model, count=100, seed=1)
    assert {*found} == {"steps", "tokens"}


async def test_steps_carry_their_fields_and_counts(engine: LocalEngine) -> None:
    trajectory = await write(engine, Limits(max_steps=2, budget=300, max_tokens=900))
    first = trajectory.steps[0]
    assert first.name is not None
    assert first.summary is not None
    assert first.reflection is not None
    assert first.forced >= 8
    assert first.logprob < 0
    assert trajectory.reasoning_tokens + trajectory.answer_tokens == len(trajectory.tokens)


async def test_a_spent_budget_ends_the_reasoning_softly(engine: LocalEngine) -> None:
    trajectory = await write(engine, Limits(budget=40, max_tokens=400))
    assert trajectory.soft_stopped
    is_full = len(trajectory.tokens) == 400
    assert trajectory.finish_reason is (FinishReason.LENGTH if is_full else FinishReason.BUDGET)
    assert trajectory.reasoning_tokens <= 40 + 4 * 16 + 12
    assert trajectory.answer


async def test_more_steps_than_the_context_holds_are_refused(engine: LocalEngine) -> None:
    with pytest.raises(UsageError, match="min-steps"):
        await write(engine, Limits(min_steps=1000))


async def test_a_model_without_the_tokens_cannot_speak_it(tiny_gguf: File) -> None:
    engine = await open_engine(tiny_gguf)
    with pytest.raises(BadModelFile, match="reasoning_start"):
        await write(engine, Limits(), protocol="steiner")
    await engine.close()


async def test_what_is_told_shows_fields_and_decisions(tmp_path: File) -> None:
    model = write_tiny_gguf(tmp_path / "s.gguf", extra_tokens=STEINER_TOKENS)
    async with workbench(model, min_steps=3, max_steps=3, budget=200, max_tokens=600) as bench:
        trajectory = bench.context.start_trajectory(QUESTION)
        while not trajectory.is_done:
            trajectory = await bench.context.extend_trajectory(trajectory)
    told = [event for event in bench.events if event.kind == "text"]
    thought = "".join(event.text for event in told if event.channel == "reasoning")
    decisions = re.findall("→ proceed\n\n|↩ backtrack\n\n|■ end\n\n", thought)
    assert [decision.split()[1] for decision in decisions] == [s.decision for s in trajectory.steps]
    assert thought.count("⇒ ") == 3
    assert "<|" not in thought


def test_a_step_reads_as_name_thought_summary_decision() -> None:
    step = Step(text="8 - 4 = 4", name="Subtract", summary="left: 4 7 8", reflection="")
    step = step.model_copy(update={"decision": Decision.BACKTRACK})
    assert format_step(step) == "Subtract\n8 - 4 = 4\n⇒ left: 4 7 8\n↩ backtrack\n\n"
    assert format_step(Step(text=" So 4. ")) == "So 4.\n\n"
