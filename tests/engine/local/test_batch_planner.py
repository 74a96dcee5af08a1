"""What goes into the next decode."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.local.batch_planner import ATTENTION_TILE_TOKENS, BatchPlanner
from reasoner.engine.local.chunk import Chunk
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prefix_cache import Sequence
from reasoner.engine.local.request import GenerateRequest, PrefillRequest, Request
from reasoner.settings import EngineSettings

PROMPT = 900


@pytest.fixture
def context(tiny_gguf: Path) -> Iterator[LlamaContext]:
    opened = LlamaContext(tiny_gguf, EngineSettings(context=4096, sequences=100), lambda _: None)
    yield opened
    opened.close()


def reading(id: int, unread: int, hidden: bool = False) -> Sequence:
    """A sequence that has this much left to read."""
    prompt = np.ones(unread, np.int32)
    request: Request = GenerateRequest(prompt, print)
    if hidden:
        request = PrefillRequest(prompt, print, positions=frozenset({unread - 1}), hidden=True)
    return Sequence(id, request=request)


def counts(parts: list[Chunk]) -> dict[int, int]:
    return {part.sequence.id: part.count for part in parts}


def test_a_few_and_a_prompt_go_together(context: LlamaContext) -> None:
    running = [reading(n, 1) for n in range(4)]
    assert counts(BatchPlanner(context).plan_batch([reading(9, PROMPT), *running])) == {
        **dict.fromkeys(range(4), 1),
        9: 32,
    }


def test_a_prompt_alone_fills_the_batch(context: LlamaContext) -> None:
    long = context.n_batch + 5
    assert counts(BatchPlanner(context).plan_batch([reading(0, long)])) == {0: context.n_batch}


def test_a_crowd_and_a_prompt_take_turns_on_a_cpu(context: LlamaContext) -> None:
    planner, crowd = BatchPlanner(context), [reading(n, 1) for n in range(40)]
    rounds = [counts(planner.plan_batch([*crowd, reading(90, PROMPT)])) for _ in range(4)]
    assert sorted(map(len, rounds)) == [1, 1, 40, 40]
    assert rounds[0] != rounds[1]
    assert {90: ATTENTION_TILE_TOKENS} in rounds


def test_all_goes_together_on_a_gpu(context: LlamaContext) -> None:
    context.on_gpu = True
    crowd = [reading(n, 1) for n in range(40)]
    assert len(BatchPlanner(context).plan_batch([*crowd, reading(90, PROMPT)])) == 41


def test_a_large_crowd_is_decoded_in_even_shares(context: LlamaContext) -> None:
    planner, crowd = BatchPlanner(context), [reading(n, 1) for n in range(90)]
    one, other = planner.plan_batch(crowd), planner.plan_batch(crowd)
    assert len(one) == len(other) == 45
    assert counts(one).keys().isdisjoint(counts(other))


def test_a_prompt_may_take_as_long_as_a_step(context: LlamaContext) -> None:
    planner, running, prompt = BatchPlanner(context), reading(0, 1), reading(9, PROMPT)
    planner.record_duration([Chunk(prompt, 500)], seconds=2.5)
    planner.record_duration([Chunk(running, 1)], seconds=0.25)
    assert counts(planner.plan_batch([running, prompt])) == {0: 1, 9: 50}


def test_a_prompt_between_running_ones_is_read_in_whole_tiles_on_a_cpu(
    context: LlamaContext,
) -> None:
    planner, running, prompt = BatchPlanner(context), reading(0, 1), reading(9, PROMPT)
    planner.record_duration([Chunk(prompt, 500)], seconds=0.5)
    planner.record_duration([Chunk(running, 1)], seconds=0.4)
    rounds = [counts(planner.plan_batch([running, prompt])) for _ in range(2)]
    assert sorted(rounds, key=min) == [{0: 1}, {9: 2 * ATTENTION_TILE_TOKENS}]


def test_hidden_states_are_read_by_themselves_in_turn(context: LlamaContext) -> None:
    planner, sequences = BatchPlanner(context), [reading(0, 1), reading(1, PROMPT, hidden=True)]
    rounds = [counts(planner.plan_batch(sequences)) for _ in range(4)]
    assert rounds == [{1: context.n_sequences}, {0: 1}] * 2
