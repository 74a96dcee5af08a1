"""The strategies that draw whole lines of thought: majority and best-of-N, on real models."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reasoner.search.operators.vote import is_vote_decided
from reasoner.settings import Settings
from reasoner.solver.local import LocalSolver
from reasoner.types.events import Event
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from reasoner.types.trajectory import FinishReason

ASK = Problem(question="Tom has 3 boxes with 4 pens each. How many pens does he have?")
SHORT = {"budget": 20, "max_tokens": 45}


async def solved(
    model: Path, strategy: str, problem: Problem = ASK, **changes: Any
) -> tuple[Result, list[Event]]:
    events: list[Event] = []
    stop = changes.pop("stop", None)
    settings = Settings.load(model=str(model), strategy=strategy, **(SHORT | changes))
    async with LocalSolver(settings, events.append) as solver:
        return await solver.solve(problem, stop=stop), events


async def test_a_vote_takes_the_answer_with_most_weight(smollm2: Path) -> None:
    result, events = await solved(smollm2, "majority", strategy_options={"n": 4})
    lines = [event for event in events if event.kind == "candidate"]
    scores = [candidate.score or 0.0 for candidate in result.candidates]
    assert scores == sorted(scores, reverse=True)
    assert result.confidence == pytest.approx(scores[0])
    assert result.final == result.candidates[0].final
    assert len(lines) == len(result.candidates) <= 4
    usage = result.usage
    assert usage.completion_tokens >= sum(line.tokens for line in lines)
    assert usage.reasoning_tokens + usage.answer_tokens == result.candidates[0].tokens
    assert usage.wasted_tokens == usage.completion_tokens - result.candidates[0].tokens


@pytest.mark.parametrize("strategy", ["majority", "best-of-n", "weighted-best-of-n"])
async def test_noise_is_searched_like_sense(tiny_gguf: Path, strategy: str) -> None:
    result, events = await solved(
        tiny_gguf, strategy, strategy_options={"n": 5}, budget=16, max_tokens=40
    )
    numbers = [event.path for event in events if event.kind == "candidate"]
    assert sorted(numbers) == list(range(5))
    assert len(result.candidates) == 5
    assert result.answer == result.candidates[0].answer


async def test_a_vote_is_taken_until_it_is_decided(smollm2: Path) -> None:
    easy = Problem(question="What is 2 + 3, as a number?")
    free: dict[str, Any] = {"temperature": 0.01, "think": False, "max_tokens": 30}
    options = {"weigh": False, "prune": False}
    result, _ = await solved(smollm2, "majority", easy, strategy_options=options, **free)
    drawn = len(result.candidates)
    votes = list(Counter(candidate.final for candidate in result.candidates).values())
    assert drawn < 16
    assert is_vote_decided(votes, 16 - drawn, 0.8)
    fixed, _ = await solved(
        smollm2, "majority", easy, strategy_options=options | {"adaptive": False, "n": 6}, **free
    )
    assert len(fixed.candidates) == 6


@pytest.mark.parametrize("strategy", ["majority", "best-of-n", "weighted-best-of-n"])
async def test_lines_are_kept_short_by_examples(smollm2: Path, strategy: str) -> None:
    asked: dict[str, Any] = {"n": 2, "prune": False}
    plain, _ = await solved(smollm2, strategy, strategy_options=asked)
    brief, _ = await solved(smollm2, strategy, strategy_options=asked | {"brief": True})
    assert brief.usage.prompt_tokens > plain.usage.prompt_tokens + 400
    own = ASK.model_copy(update={"system": "Answer in French."})
    told, _ = await solved(smollm2, strategy, own, strategy_options=asked | {"brief": True})
    assert told.usage.prompt_tokens < plain.usage.prompt_tokens + 40  # asked as it stands


async def test_greedy_sampling_is_asked_once(tiny_gguf: Path) -> None:
    result, _ = await solved(tiny_gguf, "majority", temperature=0.0, budget=16, max_tokens=40)
    assert len(result.candidates) == 1


async def test_the_known_answer_does_not_help_to_find_it(smollm2: Path) -> None:
    """The same search, with and without it; it only judges the result."""
    options: dict[str, Any] = {
        "strategy_options": {"n": 3, "at_once": 1},
        "budget": 20,
        "max_tokens": 50,
    }
    free, _ = await solved(smollm2, "best-of-n", **options)
    told = ASK.model_copy(update={"expect": free.candidates[-1].final or "1"})
    known, _ = await solved(smollm2, "best-of-n", told, **options)
    assert known.candidates == free.candidates


async def test_the_whole_search_keeps_to_its_tokens(smollm2: Path) -> None:
    """Reasoning closes softly, so every line that was begun has an answer."""
    result, events = await solved(
        smollm2, "majority", search_budget=300, budget=2000, strategy_options={"n": 64}
    )
    assert result.usage.completion_tokens <= 300 + 8
    assert result.answer
    assert len([event for event in events if event.kind == "candidate"]) < 64


async def test_stopping_returns_a_finished_line(smollm2: Path) -> None:
    """Once a line is finished, Ctrl-C gives it, not one that was cut off."""
    stop = asyncio.Event()
    settings = Settings.load(
        model=str(smollm2), strategy="best-of-n", strategy_options={"n": 12, "at_once": 3}, **SHORT
    )

    def on_event(event: Event) -> None:
        if event.kind == "candidate":
            stop.set()

    async with LocalSolver(settings, on_event) as solver:
        result = await solver.solve(ASK, stop=stop)
    assert result.finish_reason is not FinishReason.INTERRUPTED
    assert result.answer
    assert len(result.candidates) < 12


async def test_stopping_at_once_returns_what_there_is(smollm2: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    result, _ = await solved(smollm2, "majority", stop=stop)
    assert result.finish_reason is FinishReason.INTERRUPTED


async def test_an_open_book_search_ends_with_the_first_right_line(smollm2: Path) -> None:
    options: dict[str, Any] = {"strategy_options": {"n": 3, "at_once": 1}}
    free, events = await solved(smollm2, "best-of-n", **options)
    first = next(event for event in events if event.kind == "candidate")
    told = ASK.model_copy(update={"expect": first.final})
    found, _ = await solved(smollm2, "best-of-n", told, until_verified=True, **options)
    assert first.final is not None
    assert len(free.candidates) == 3
    assert len(found.candidates) < 3
    assert found.status == "verified"
    assert found.final == first.final
    assert found.finish_reason is not FinishReason.INTERRUPTED
