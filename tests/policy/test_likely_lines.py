"""The likeliest lines of a real model: in order, once each, at the model's own odds."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from math import exp
from pathlib import Path

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.policy.budget import Budget
from reasoner.policy.likely_lines import LineContinuation, likeliest_lines
from reasoner.settings import EngineSettings

COUNTING = "one two\ntwo three\nthree four\nfour five\nfive six\nsix seven\n"
LEAST = 0.002


@pytest.fixture
async def engine(smollm2: Path) -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.open(smollm2, EngineSettings(context=1024, sequences=32))
    yield engine
    await engine.close()


async def found(engine: LocalEngine, budget: Budget, least: float) -> list[LineContinuation]:
    tokens = tuple(engine.tokenize(COUNTING))
    return [line async for line in likeliest_lines(engine, budget, tokens, least)]


async def test_lines_come_once_each_and_the_likeliest_first(engine: LocalEngine) -> None:
    budget = Budget()
    lines = await found(engine, budget, LEAST)
    assert lines[0].text == "seven eight"
    odds = [line.probability for line in lines]
    assert len(lines) > 3
    assert odds == sorted(odds, reverse=True)
    assert odds[-1] >= LEAST
    assert sum(odds) <= 1.001
    assert len({line.tokens for line in lines}) == len(lines)
    assert not any("\n" in (line.text or "\n") for line in lines)
    assert budget.generated_tokens >= len({line.tokens[:n] for line in lines for n in range(4)})
    assert len(engine.tokenize(COUNTING)) - 1 <= budget.decoded_tokens


async def test_a_lines_probability_is_the_models(engine: LocalEngine) -> None:
    """That of its tokens and of a line break after them, or of another end."""
    [line, *_] = await found(engine, Budget(), 0.05)
    before = engine.tokenize(COUNTING)
    whole = [*before, *line.tokens]
    places = range(len(before) - 1, len(whole))
    wanted = [[token] for token in (*line.tokens, engine.tokenize("\n")[0])]
    told = await engine.token_logprobs(whole, places, wanted)
    logprob = sum(one for (one,) in told)
    assert exp(logprob) <= line.probability * 1.05
    assert line.probability == pytest.approx(exp(logprob), rel=0.3)


async def test_who_stops_asking_pays_for_no_more(engine: LocalEngine) -> None:
    whole, part = Budget(), Budget()
    await found(engine, whole, LEAST)
    tokens = tuple(engine.tokenize(COUNTING))
    async with aclosing(likeliest_lines(engine, part, tokens, LEAST)) as lines:
        assert (await anext(lines)).text == "seven eight"
    assert part.generated_tokens < whole.generated_tokens / 2


async def test_a_spent_budget_ends_it(engine: LocalEngine) -> None:
    budget = Budget(tokens=3)
    await found(engine, budget, 1e-9)
    assert budget.is_stopped
    assert budget.generated_tokens < 100


async def test_nothing_is_as_likely_as_that(engine: LocalEngine) -> None:
    assert await found(engine, Budget(), 1.5) == []
