"""A program as a line of thought: what it may take."""

from pathlib import Path

import pytest

import reasoner.search.strategies.cross_check.program as programs
from reasoner.search.rollout import rollout
from tests.search.strategies.test_sampling import ASK
from tests.workbench import workbench

MOST = 100


@pytest.mark.slow
async def test_a_program_that_does_not_end_is_ended(
    tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that writes nothing but noise, and on and on."""
    monkeypatch.setattr(programs, "MAX_PROGRAM_TOKENS", MOST)
    async with workbench(tiny_gguf, temperature=0.0, budget=None, max_tokens=None) as bench:
        thought = await rollout(ASK, bench.context, drop_refuted=False)
        written = await programs.rollout_program(ASK, bench.context)
    assert len(thought.trajectory.tokens) > MOST
    assert 0 < len(written.trajectory.tokens) <= MOST
    assert written.final_answer is None
    told = [event.final for event in bench.events if event.kind == "candidate"]
    assert told == [thought.final_answer, None]  # what noise holds is not what it printed


async def test_a_shorter_limit_stays(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, temperature=0.0, budget=None, max_tokens=30) as bench:
        written = await programs.rollout_program(ASK, bench.context)
    assert 0 < len(written.trajectory.tokens) <= 30
