"""The main flow on a real model: what a caller of the library sees."""

import asyncio
from pathlib import Path

import pytest

import reasoner
from reasoner.errors import PromptTooLong, UnknownName, UsageError
from reasoner.settings import Settings
from reasoner.solver.local import LocalSolver
from reasoner.types.events import Event
from reasoner.types.problem import Message, Problem
from reasoner.types.result import Status
from reasoner.types.trajectory import FinishReason
from tests.tiny_gguf import STEINER_TOKENS, write_tiny_gguf

ASK = "Tom has 3 boxes with 4 pens each. How many pens does he have?"


def settings(model: Path, **changes: object) -> Settings:
    return Settings.load(model=str(model), temperature=0.0, **changes)


def test_solve_returns_what_json_prints(smollm2: Path) -> None:
    events: list[Event] = []
    result = reasoner.solve(
        ASK, model=str(smollm2), budget=80, temperature=0.0, seed=3, on_event=events.append
    )
    assert result == reasoner.Result.model_validate_json(result.model_dump_json())
    assert (result.question, result.seed, result.strategy) == (ASK, 3, "linear")
    assert result.answer
    usage = result.usage
    assert usage.completion_tokens >= usage.reasoning_tokens
    assert usage.prompt_tokens == usage.decoded_tokens > 0
    assert events[-1].kind == "result"
    answers = [e.text for e in events if e.kind == "text" and e.channel == "answer"]
    assert "".join(answers).strip() == result.answer


async def test_the_expected_answer_decides_the_status(smollm2: Path) -> None:
    async with LocalSolver(settings(smollm2, think=False, max_tokens=40)) as solver:
        free = await solver.solve(Problem(question=ASK))
        assert free.final is not None
        right = await solver.solve(Problem(question=ASK, expect=free.final))
        wrong = await solver.solve(Problem(question=ASK, expect="987654321"))
    assert (right.final, right.status) == (free.final, Status.VERIFIED)
    assert wrong.status is Status.REFUTED


async def test_a_proof_that_ends_the_search_does_not_silence_the_expected_answer(
    smollm2: Path,
) -> None:
    """That a sum's value is the answer proves it, and all else is stopped; then `expect` speaks."""
    chosen = settings(smollm2, think=False, max_tokens=40, strategy="majority")
    async with LocalSolver(chosen) as solver:
        proven = await solver.solve(Problem(question="What is 2 + 2?"))
        assert (proven.final, proven.status) == ("4", Status.VERIFIED)
        for expect, status in (("4", Status.VERIFIED), ("5", Status.REFUTED)):
            found = await solver.solve(Problem(question="What is 2 + 2?", expect=expect))
            assert (found.final, found.status) == ("4", status)


async def test_the_expected_answer_never_reaches_the_model(smollm2: Path) -> None:
    async with LocalSolver(settings(smollm2, think=False, max_tokens=4)) as solver:
        plain = await solver.solve(Problem(question=ASK))
        told = await solver.solve(Problem(question=ASK, expect="12"))
    assert plain.usage.prompt_tokens == told.usage.prompt_tokens


async def test_questions_share_one_model(smollm2: Path) -> None:
    """Several at once are each answered for themselves, side by side."""
    asked = [Problem(question=f"What is {n} + {n}?") for n in range(6)]
    async with LocalSolver(settings(smollm2, think=False, max_tokens=16)) as solver:
        together = await asyncio.gather(*(solver.solve(problem) for problem in asked))
    assert [r.question for r in together] == [p.question for p in asked]
    assert all(r.answer and 0 < r.usage.completion_tokens <= 16 for r in together)
    longest = max(r.usage.seconds for r in together)
    assert longest < sum(r.usage.seconds for r in together) / 2


async def test_a_later_turn_reads_only_what_is_new(smollm2: Path) -> None:
    async with LocalSolver(settings(smollm2, think=False, max_tokens=12)) as solver:
        first = await solver.solve(Problem(question=ASK))
        history = (
            Message(role="user", content=ASK),
            Message(role="assistant", content=first.answer),
        )
        second = await solver.solve(Problem(question="And with 5 boxes?", history=history))
    assert second.usage.decoded_tokens < second.usage.prompt_tokens / 2


async def test_stopping_returns_what_there_is(smollm2: Path) -> None:
    stop = asyncio.Event()

    def on_event(event: Event) -> None:
        if event.kind == "text":
            stop.set()

    async with LocalSolver(settings(smollm2, min_steps=50)) as solver:
        result = await solver.solve(Problem(question=ASK), stop=stop, on_event=on_event)
        assert result.finish_reason is FinishReason.INTERRUPTED
        again = await solver.solve(Problem(question=ASK), settings=settings(smollm2, budget=20))
    assert again.answer


async def test_a_time_limit_still_gives_an_answer(smollm2: Path) -> None:
    """The reasoning owes more steps than it can write in five seconds."""
    async with LocalSolver(settings(smollm2, min_steps=500, seconds=5.0)) as solver:
        result = await solver.solve(Problem(question=ASK))
    assert result.finish_reason is FinishReason.BUDGET
    assert result.answer


async def test_a_steiner_model_is_recognised(tmp_path: Path) -> None:
    model = write_tiny_gguf(tmp_path / "s.gguf", extra_tokens=STEINER_TOKENS)
    options = {"min_steps": 2, "max_steps": 3, "budget": 200, "max_tokens": 600}
    async with LocalSolver(Settings.load(model=str(model), **options)) as solver:
        result = await solver.solve(Problem(question=ASK))
    assert 2 <= len(result.reasoning) <= 3
    assert all(step.name is not None for step in result.reasoning)


async def test_bad_requests_are_usage_errors(tiny_gguf: Path) -> None:
    with pytest.raises(UnknownName, match="linear"):
        await LocalSolver(settings(tiny_gguf, strategy="linaer")).__aenter__()
    async with LocalSolver(settings(tiny_gguf)) as solver:
        with pytest.raises(UsageError, match="empty"):
            await solver.solve(Problem(question=" \n"))
        with pytest.raises(PromptTooLong, match=r"\d+ tokens, the context holds 2048"):
            await solver.solve(Problem(question="x" * 10_000))
        changed = settings(tiny_gguf, sampling={"top_q": 1})
        with pytest.raises(UsageError, match="top_q"):
            await solver.solve(Problem(question=ASK), settings=changed)


async def test_a_model_without_a_template_says_what_to_do(tmp_path: Path) -> None:
    model = write_tiny_gguf(tmp_path / "bare.gguf", chat_template=None)
    async with LocalSolver(settings(model)) as solver:
        with pytest.raises(reasoner.ReasonerError, match=r"no chat template.*instruction-tuned"):
            await solver.solve(Problem(question=ASK))
