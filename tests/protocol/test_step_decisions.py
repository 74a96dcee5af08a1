"""Decisions at the ends of unmarked steps: drawn from likelihoods, and acted upon."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path as File
from random import Random

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.protocol.plain import ANSWER_PHRASE, BACKTRACK_PHRASE, PlainProtocol
from reasoner.protocol.step_decisions import allowed_decisions, sample_decision
from reasoner.settings import Limits
from reasoner.types.trajectory import Decision, Phase, Step, Trajectory
from tests.protocol.writing import QUESTION, open_engine, write
from tests.tiny_gguf import CHATML, THINK_CHATML, THINK_TOKENS, write_tiny_gguf

DECIDING = Limits(decide=True, budget=40, max_tokens=160)
FREELY = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)


def policy_of(engine: LocalEngine, limits: Limits) -> Policy:
    protocol = choose_protocol(engine, engine.chat_template or "", None)
    return Policy(engine, protocol, sampling=FREELY, limits=limits, budget=Budget(), seed=0)


async def after_one_step(engine: LocalEngine, limits: Limits) -> list[Trajectory]:
    """Paths that decided after one step, each by a seed of its own."""
    policy = policy_of(engine, limits)
    trajectory = policy.insert_step(policy.start_trajectory(QUESTION), "2 + 3 = 6.")
    return await asyncio.gather(*(policy.extend(trajectory, seed=seed) for seed in range(48)))


@pytest.fixture(params=[CHATML, THINK_CHATML], ids=["plain", "think"])
async def engine(request: pytest.FixtureRequest, tmp_path: File) -> AsyncIterator[LocalEngine]:
    tokens = THINK_TOKENS if request.param == THINK_CHATML else ()
    engine = await open_engine(
        write_tiny_gguf(tmp_path / "m.gguf", extra_tokens=tokens, chat_template=request.param)
    )
    yield engine
    await engine.close()


@pytest.mark.slow
async def test_a_model_without_a_will_takes_all_three_turns(engine: LocalEngine) -> None:
    seen = Counter[Decision | None]()
    whole = [
        trajectory for trajectory in await after_one_step(engine, DECIDING) if trajectory.steps
    ]
    for trajectory in whole:  # a plain reply without a stated answer is all answer
        decision = trajectory.steps[0].decision
        seen[decision] += 1
        written = engine.detokenize(trajectory.tokens, special=True)
        assert (BACKTRACK_PHRASE in written) == (decision is Decision.BACKTRACK)
        ends = (
            ANSWER_PHRASE
            if "<think>" not in engine.detokenize(trajectory.prompt, True)
            else "</think>"
        )
        if decision is Decision.END:
            assert ends in written
            assert trajectory.answer
    assert min(seen[decision] for decision in Decision) > 0


async def test_who_owes_steps_does_not_end(engine: LocalEngine) -> None:
    paths = await after_one_step(engine, DECIDING.model_copy(update={"min_steps": 3}))
    assert {trajectory.steps[0].decision for trajectory in paths} == {
        Decision.PROCEED,
        Decision.BACKTRACK,
    }


async def test_nothing_is_decided_unless_asked(engine: LocalEngine) -> None:
    policy = policy_of(engine, Limits(budget=40, max_tokens=160))
    trajectory = policy.insert_step(policy.start_trajectory(QUESTION), "2 + 3 = 6.")
    assert BACKTRACK_PHRASE not in engine.detokenize((await policy.extend(trajectory)).tokens)


async def test_a_whole_reply_decides_and_ends(smollm2: File) -> None:
    engine = await open_engine(smollm2)
    limits = Limits(decide=True, max_steps=6, budget=160, max_tokens=300)
    for trajectory in await asyncio.gather(*(write(engine, limits, seed) for seed in range(4))):
        assert trajectory.phase is Phase.DONE
        assert trajectory.answer
        decisions = [step.decision for step in trajectory.steps]
        assert (Decision.BACKTRACK, Decision.BACKTRACK) not in pairwise(decisions)
    await engine.close()


def test_a_step_is_not_given_up_right_after_another() -> None:
    steps = (Step(text="a", decision=Decision.BACKTRACK), Step(text="b"))
    trajectory = Trajectory(prompt=(1,), tokens=(2,), steps=steps)
    assert {*allowed_decisions(trajectory, DECIDING, PlainProtocol.decision_phrases)} == {
        Decision.PROCEED,
        Decision.END,
    }
    assert (
        allowed_decisions(
            trajectory.model_copy(update={"soft_stopped": True}),
            DECIDING,
            PlainProtocol.decision_phrases,
        )
        == {}
    )


def test_the_temperature_is_the_models() -> None:
    chances = {Decision.PROCEED: 0.6, Decision.BACKTRACK: 0.3, Decision.END: 0.1}
    assert sample_decision(chances, 0.0, Random(0)) is Decision.PROCEED
    random = Random(0)
    seen = Counter(sample_decision(chances, 1.0, random) for _ in range(4000))
    assert all(abs(seen[d] / 4000 - chance) < 0.03 for d, chance in chances.items())
