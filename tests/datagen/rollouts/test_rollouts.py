"""Solutions drawn from a model, with their features; the search for the step that went wrong."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.datagen.rollouts.exercises import Exercise, read_exercises
from reasoner.datagen.rollouts.ledger import read_solutions
from reasoner.datagen.rollouts.run import open_rollout_run
from reasoner.datagen.rollouts.search import continuation_counts, find_error
from reasoner.datagen.rollouts.settings import RolloutPlan
from reasoner.datagen.rollouts.trajectory import MeasuredTrajectory, TrajectorySampler
from reasoner.errors import UsageError
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.value.step_features import StepFeatureExtractor
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
    plan = RolloutPlan(samples=2, continuations=2, max_tokens=48)
    settings = Settings.load(model=str(model))
    async with open_rollout_run(out, plan, settings, print) as run:
        await run.make_rollouts(exercises, at_once=3, max_tokens=tokens, on_exercise=lambda: None)
        return run.tokens


@pytest.mark.slow
async def test_a_run_goes_on_where_it_stopped(tiny_gguf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    some = await work(tiny_gguf, out, EXERCISES[:2])
    first = out.read_bytes()
    more = await work(tiny_gguf, out, EXERCISES)
    assert more > some > 0
    assert out.read_bytes().startswith(first)
    _, found, features = read_solutions(out)
    assert {one.problem for one in found} == {one.id for one in EXERCISES}
    assert len({(one.problem, one.number) for one in found}) == len(found)
    assert sum({one.problem: one.spent for one in found}.values()) == more
    assert len(features) == 1 + max(row for one in found for row in one.features)


async def test_people_are_read_and_made_wrong(tiny_gguf: Path, tmp_path: Path) -> None:
    await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES[:1])
    _, found, _ = read_solutions(tmp_path / "out.jsonl")
    human = next(one for one in found if one.source == "human")
    assert "".join(human.steps) == "There are 2 boxes.\n\n2 * 14 = 28 pens."
    wrong = next(one for one in found if one.source == "corrupted")
    assert wrong.origin == human.number
    assert wrong.steps[:-1] == human.steps[: len(wrong.steps) - 1]
    assert wrong.steps[-1] != human.steps[len(wrong.steps) - 1]
    assert len(wrong.features) == 1
    assert sum(one.source == "sampled" for one in found) == 2


async def test_steps_that_somebody_judged_are_read_up_to_the_first_wrong_one(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    data = tmp_path / "judged.jsonl"
    steps = ["2 * 14 = 28", "28 + 1 = 30", "So it is 30."]
    rows = [{"problem": "How many?", "steps": steps, "label": label} for label in (1, -1)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    await work(tiny_gguf, tmp_path / "out.jsonl", read_exercises(data, None, 0))
    _, found, features = read_solutions(tmp_path / "out.jsonl")
    wrong, right = sorted(found, key=lambda one: len(one.steps))
    assert ["".join(one.steps) for one in (wrong, right)] == [
        "2 * 14 = 28\n\n28 + 1 = 30",
        "2 * 14 = 28\n\n28 + 1 = 30\n\nSo it is 30.",
    ]
    assert (wrong.source, wrong.right, right.right) == ("judged", False, True)
    assert len(features) == 5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"question": "?", "steps": ["a"]}, "an answer is needed"),
        ({"question": "?", "steps": [], "label": -1}, "an answer is needed"),
        ({"question": "?", "steps": ["a"], "label": 1}, "label names no step"),
        ({"question": "?", "steps": ["a"], "label": -2}, "label"),
        ({"question": "?", "steps": 3, "label": 0}, "steps"),
    ],
)
def test_what_nobody_can_have_judged(row: dict[str, object], words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(UsageError, match=f"line 1: .*{words}"):
        read_exercises(tmp_path / "bad.jsonl", None, 0)


def test_steps_without_a_label_and_labels_of_something_else_say_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"steps": ["a", "b"]}, {"label": 7}]
    lines = [json.dumps({"question": "?", "answer": "4", **row}) for row in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = read_exercises(tmp_path / "a.jsonl", None, 0)
    assert [one.judged for one in found] == [(), ()]


async def test_the_ceiling_stops_new_problems(tiny_gguf: Path, tmp_path: Path) -> None:
    await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES, tokens=1)
    assert {one.problem for one in read_solutions(tmp_path / "out.jsonl")[1]} <= {"e2", "e3", "e4"}
    assert await work(tiny_gguf, tmp_path / "out.jsonl", EXERCISES, tokens=1) > 1


@pytest.fixture
async def lines(smollm2: Path) -> AsyncIterator[tuple[TrajectorySampler, MeasuredTrajectory]]:
    """A grower and a line of several steps; whatever ends in an even digit counts as right."""

    async def even(final: str, _expect: str) -> bool:
        return final.rstrip(".")[-1:] in tuple("02468")

    async with workbench(smollm2, budget=160, max_tokens=200, min_steps=3) as bench:
        grower = TrajectorySampler(bench.engine, bench.context.policy, even)
        line = await grower.sample_trajectory(
            Problem(question="What is 12 + 30, and twice that?"), "even", 1
        )
        yield grower, line


@pytest.mark.slow
async def test_halving_asks_few_prefixes(
    lines: tuple[TrajectorySampler, MeasuredTrajectory],
) -> None:
    grower, line = lines
    assert len(line.ends) >= 3
    drawn = await find_error(grower, line, 2, 500)
    asked = {
        sum(line.shares_prefix(other, step) for step in range(len(line.ends))) for other in drawn
    }
    assert 2 * (len(line.ends) - 1).bit_length() >= len(drawn) >= 2
    assert asked
    for other in drawn:
        assert other.step_features[0] is line.step_features[0]
    tally = continuation_counts(line, [line, *drawn])
    assert tally[-1] == (int(line.right), 1)
    assert tally[0][1] == 1 + len(drawn)
    assert [of for _, of in tally] == sorted((of for _, of in tally), reverse=True)


async def test_what_was_doubted_while_writing_is_what_is_read_afterwards(smollm2: Path) -> None:
    async def never(_final: str, _expect: str) -> bool:
        return False

    async with workbench(smollm2, max_tokens=60) as bench:
        grower = TrajectorySampler(bench.engine, bench.context.policy, never)
        line = await grower.sample_trajectory(
            Problem(question="What is 12 + 30, and twice that?"), "84", 1
        )
        rows = await StepFeatureExtractor(bench.engine).extract_features(
            line.trajectory.prompt, line.trajectory.tokens, line.ends
        )
    assert len(rows) == len(line.step_features) == len(line.ends)
    chosen = [number for number, step in enumerate(line.trajectory.steps) if step.forced == 0]
    assert chosen
    for number in chosen:
        assert line.step_features[number].astype(np.float32) == pytest.approx(
            rows[number], abs=0.15
        )
