"""The model that comes with the program: its file, its steps, what it can do."""

import asyncio
from pathlib import Path

import pytest

import reasoner
from bench.grammar import count_faults
from reasoner.models.installed import find_model
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.types.result import Result, Status
from reasoner.types.trajectory import Decision

MEGABYTE = 10**6
PUZZLES = [
    ((74, 5, 20), 99),
    ((25, 3, 7), 46),
    ((9, 8, 4), 68),
    ((50, 6, 2), 38),
    ((12, 11, 10), 13),
    ((90, 45, 7), 14),
    ((33, 3, 8), 88),
    ((21, 20, 19), 20),
]


def file_of(alias: str) -> Path:
    found = find_model(alias)
    assert found is not None
    return found.path


async def solve(**chosen: object) -> list[Result]:
    settings = Settings.load(model="steiner-mini", history=False, cache=False, **chosen)
    questions = [f"Use {' '.join(map(str, numbers))} to make {goal}" for numbers, goal in PUZZLES]
    async with reasoner.open_solver(settings) as solver:
        asked = (solver.solve(Problem(question=question)) for question in questions)
        return list(await asyncio.gather(*asked))


def test_it_is_in_the_package_and_small() -> None:
    paths = [file_of("steiner-mini"), file_of("steiner-mini-value")]
    assert {path.parent for path in paths} == {Path(reasoner.__file__).parent / "weights"}
    assert sum(path.stat().st_size for path in paths) <= 30 * MEGABYTE


@pytest.mark.slow
async def test_most_puzzles_are_solved_in_one_path_with_backtracks() -> None:
    results = await solve()
    assert sum(result.status is Status.VERIFIED for result in results) >= 5
    decisions = {step.decision for result in results for step in result.reasoning}
    assert decisions == {*Decision}
    named = [step for result in results for step in result.reasoning if step.decision is not None]
    assert all(step.name and step.text and step.summary and step.reflection for step in named)


@pytest.mark.slow
async def test_a_check_that_settles_the_question_ends_the_search() -> None:
    options = {"n": 8, "at_once": 1}
    results = await solve(strategy="best-of-n", strategy_options=options, max_steps=12)
    drawn = [len(result.candidates) for result in results]
    assert sum(drawn) < 4 * len(drawn)
    assert all(
        len(result.candidates) == 8 or result.status is Status.VERIFIED for result in results
    )


@pytest.mark.slow
async def test_its_value_model_steers_a_search() -> None:
    results = await solve(
        value="steiner-mini-value", strategy="beam", strategy_options={"n": 4, "width": 2}
    )
    assert sum(result.status is Status.VERIFIED for result in results) >= 6
    for result in results:
        assert result.value_model == "steiner-mini-value"
        assert result.usage.value_tokens > 0


@pytest.mark.slow
async def test_its_replies_keep_the_grammar_and_the_limits() -> None:
    """The short version of bench/grammar.py."""
    found = await count_faults(file_of("steiner-mini"), count=200, seed=1)
    assert {*found} == {"steps", "tokens"}
