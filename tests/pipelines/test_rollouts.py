"""Solutions drawn from a model, with their states; the search for the step that went wrong."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.local import LocalEngine
from reasoner.pipelines.ledger import read_ledger
from reasoner.pipelines.line import Grower, Line
from reasoner.pipelines.plan import Plan
from reasoner.pipelines.problems import Exercise
from reasoner.pipelines.run import open_run
from reasoner.pipelines.search import counts, find_error
from reasoner.problem import Problem
from reasoner.settings import EngineSettings, Settings
from reasoner.value.states import read_states
from tests.workbench import workbench

EXERCISES = [
    Exercise(
        id=f"e{n}",
        question=f"Tom has {n} boxes with 14 pens each. How many pens?",
        answer=str(14 * n),
        solution=f"There are {n} boxes.\n{n} * 14 = <<{n}*14={14 * n}>>{14 * n} pens.",
    )
    for n in range(2, 6)
]


async def work(model: Path, out: Path, exercises: list[Exercise], tokens: int | None = None) -> int:
    plan = Plan(samples=2, continuations=2, max_tokens=48)
    settings = Settings.load(model=str(model))
    async with open_run(out, plan, settings, print) as run:
        await run.work(exercises, at_once=3, tokens=tokens, watch=lambda: None)
        return run.tokens


async def test_a_run_goes_on_where_it_stopped(tiny_gguf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    some = await work(tiny_gguf, out, EXERCISES[:2])
    first = out.read_bytes()
    more = await work(tiny_gguf, out, EXERCISES)
    assert more > some > 0
    assert out.read_bytes().startswith(first)
    _, found, states = read_ledger(out)
    assert {one.problem for one in found} == {one.id for one in EXERCISES}
    assert len({(one.problem, one.number) for one in found}) == len(found)
    assert sum({one.problem: one.spent for one in found}.values()) == more
    assert len(states) == 1 + max(row for one in found for row in one.states)


async def test_people_are_read_and_made_wrong(tiny_gguf: Path, tmp_path: Path) -> None:
    await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES[:1])
    _, found, _ = read_ledger(tmp_path / "out.jsonl")
    human = next(one for one in found if one.source == "human")
    assert "".join(human.steps) == "There are 2 boxes.\n\n2 * 14 = 28 pens."
    wrong = next(one for one in found if one.source == "corrupted")
    assert wrong.origin == human.number
    assert wrong.steps[:-1] == human.steps[: len(wrong.steps) - 1]
    assert wrong.steps[-1] != human.steps[len(wrong.steps) - 1]
    assert len(wrong.states) == 1
    assert sum(one.source == "sampled" for one in found) == 2


async def test_the_ceiling_stops_new_problems(tiny_gguf: Path, tmp_path: Path) -> None:
    await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES, tokens=1)
    assert {one.problem for one in read_ledger(tmp_path / "out.jsonl")[1]} <= {"e2", "e3", "e4"}
    assert await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES, tokens=1) > 1


@pytest.fixture
async def lines(smollm2: Path) -> AsyncIterator[tuple[Grower, Line]]:
    """A grower and a line of several steps; whatever ends in an even digit counts as right."""

    async def even(final: str, _expect: str) -> bool:
        return final.rstrip(".")[-1:] in tuple("02468")

    async with workbench(smollm2, budget=160, max_tokens=200, min_steps=3) as bench:
        grower = Grower(bench.engine, bench.tools.policy, 4, even)
        line = await grower.draw(Problem(question="What is 12 + 30, and twice that?"), "even", 1)
        yield grower, line


async def test_halving_asks_few_prefixes(lines: tuple[Grower, Line]) -> None:
    grower, line = lines
    assert len(line.ends) >= 3
    drawn = await find_error(grower, line, 2, 500)
    asked = {sum(line.shares(other, step) for step in range(len(line.ends))) for other in drawn}
    assert 2 * (len(line.ends) - 1).bit_length() >= len(drawn) >= 2
    assert asked
    for other in drawn:
        assert other.rows[0] is line.rows[0]
    tally = counts(line, [line, *drawn])
    assert tally[-1] == (int(line.right), 1)
    assert tally[0][1] == 1 + len(drawn)
    assert [of for _, of in tally] == sorted((of for _, of in tally), reverse=True)


async def test_states_read_in_passing_are_those_read_at_once(
    lines: tuple[Grower, Line], smollm2: Path
) -> None:
    _, line = lines
    settings = EngineSettings(context=2048, flash_attention="off")
    engine = await LocalEngine.open(smollm2, settings)
    ends = [len(line.path.prompt) + end for end in line.ends]
    rows = await read_states(engine, line.path.prompt + line.path.tokens, ends, 4)
    await engine.close()
    assert len(rows) == len(line.rows) == len(line.ends)
    for passing, at_once in zip(line.rows, rows, strict=True):
        near = np.corrcoef(passing.astype(np.float32), at_once.astype(np.float32))[0, 1]
        assert near > 0.999
