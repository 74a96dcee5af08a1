"""What goes into the next decode."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.context import Context
from reasoner.engine.part import Part
from reasoner.engine.planner import TILE, Planner
from reasoner.engine.prefix import Sequence
from reasoner.engine.request import Generate, Read, Request
from reasoner.settings import EngineSettings

PROMPT = 900


@pytest.fixture
def context(tiny_gguf: Path) -> Iterator[Context]:
    opened = Context(tiny_gguf, EngineSettings(context=4096, sequences=100), lambda _: None)
    yield opened
    opened.close()


def reading(id: int, unread: int, hidden: bool = False) -> Sequence:
    """A sequence that has this much left to read."""
    prompt = np.ones(unread, np.int32)
    request: Request = Generate(prompt, print)
    if hidden:
        request = Read(prompt, print, positions=frozenset({unread - 1}), hidden=True)
    return Sequence(id, request=request)


def counts(parts: list[Part]) -> dict[int, int]:
    return {part.sequence.id: part.count for part in parts}


def test_a_few_and_a_prompt_go_together(context: Context) -> None:
    running = [reading(n, 1) for n in range(4)]
    assert counts(Planner(context).plan([reading(9, PROMPT), *running])) == {
        **dict.fromkeys(range(4), 1),
        9: 32,
    }


def test_a_prompt_alone_fills_the_batch(context: Context) -> None:
    long = context.n_batch + 5
    assert counts(Planner(context).plan([reading(0, long)])) == {0: context.n_batch}


def test_a_crowd_and_a_prompt_take_turns_on_a_cpu(context: Context) -> None:
    planner, crowd = Planner(context), [reading(n, 1) for n in range(40)]
    rounds = [counts(planner.plan([*crowd, reading(90, PROMPT)])) for _ in range(4)]
    assert sorted(map(len, rounds)) == [1, 1, 40, 40]
    assert rounds[0] != rounds[1]
    assert {90: TILE} in rounds


def test_all_goes_together_on_a_gpu(context: Context) -> None:
    context.on_gpu = True
    crowd = [reading(n, 1) for n in range(40)]
    assert len(Planner(context).plan([*crowd, reading(90, PROMPT)])) == 41


def test_a_large_crowd_is_decoded_in_even_shares(context: Context) -> None:
    planner, crowd = Planner(context), [reading(n, 1) for n in range(90)]
    one, other = planner.plan(crowd), planner.plan(crowd)
    assert len(one) == len(other) == 45
    assert counts(one).keys().isdisjoint(counts(other))


def test_a_prompt_may_take_as_long_as_a_step(context: Context) -> None:
    planner, running, prompt = Planner(context), reading(0, 1), reading(9, PROMPT)
    planner.learn([Part(prompt, 500)], seconds=2.5)
    planner.learn([Part(running, 1)], seconds=0.25)
    assert counts(planner.plan([running, prompt])) == {0: 1, 9: 50}


def test_a_prompt_between_running_ones_is_read_in_whole_tiles_on_a_cpu(context: Context) -> None:
    planner, running, prompt = Planner(context), reading(0, 1), reading(9, PROMPT)
    planner.learn([Part(prompt, 500)], seconds=0.5)
    planner.learn([Part(running, 1)], seconds=0.4)
    rounds = [counts(planner.plan([running, prompt])) for _ in range(2)]
    assert sorted(rounds, key=min) == [{0: 1}, {9: 2 * TILE}]


def test_hidden_states_are_read_by_themselves_in_turn(context: Context) -> None:
    planner, sequences = Planner(context), [reading(0, 1), reading(1, PROMPT, hidden=True)]
    rounds = [counts(planner.plan(sequences)) for _ in range(4)]
    assert rounds == [{1: context.n_sequences}, {0: 1}] * 2
