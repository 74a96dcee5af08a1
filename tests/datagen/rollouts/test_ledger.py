"""Whatever moment a run is killed at, what was whole is kept and nothing stands there twice."""

import json
from pathlib import Path

import numpy as np
import pytest

from reasoner.datagen.rollouts.ledger import SolutionFile, features_path, read_solutions
from reasoner.datagen.rollouts.solution import Solution
from reasoner.errors import UsageError

FACTS = {"model": "tiny", "seed": 0}
WIDTH = 4


def solution(problem: str, number: int, *features: int) -> Solution:
    return Solution(
        problem=problem,
        number=number,
        source="sampled",
        question="?",
        answer="4",
        steps=("a",) * len(features),
        ends=tuple(range(1, len(features) + 1)),
        counts=((1, 1),) * len(features),
        features=features,
    )


def rows(*values: int) -> list[np.ndarray]:
    return [np.full(WIDTH, value, np.float16) for value in values]


def write(path: Path, problems: int) -> None:
    with SolutionFile(path, FACTS, WIDTH) as ledger:
        for index in range(len(ledger.completed_problems), problems):
            pair = [solution(f"p{index}", 0, 0, 1), solution(f"p{index}", 1, 1)]
            ledger.add_solutions(pair, rows(10 * index, 10 * index + 1), 100)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", 3)
    facts, found, features = read_solutions(tmp_path / "a.jsonl")
    assert facts["model"] == "tiny"
    assert [one.features for one in found[2:4]] == [(2, 3), (3,)]
    assert [float(features[row, 0]) for row in found[4].features] == [20.0, 21.0]
    assert sum({one.problem: one.spent for one in found}.values()) == 300


@pytest.mark.slow
def test_cut_anywhere_it_goes_on_to_the_same_file(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    write(whole, 3)
    lines, features = whole.read_bytes(), features_path(whole).read_bytes()
    for size in range(0, len(lines) + 1, 7):
        torn = tmp_path / "torn.jsonl"
        torn.write_bytes(lines[:size])
        features_path(torn).write_bytes(features)
        write(torn, 3)
        assert torn.read_bytes() == lines
        assert features_path(torn).read_bytes() == features


def test_a_torn_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, 2)
    path.write_bytes(path.read_bytes()[:-5])
    assert {one.problem for one in read_solutions(path)[1]} == {"p0"}


def test_another_run_is_not_mixed_in(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", 1)
    with pytest.raises(UsageError, match="seed 0, not 1"):
        SolutionFile(tmp_path / "a.jsonl", {**FACTS, "seed": 1}, WIDTH)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        SolutionFile(tmp_path / "a.jsonl", FACTS, WIDTH),
        pytest.raises(UsageError, match="another run"),
    ):
        SolutionFile(tmp_path / "a.jsonl", FACTS, WIDTH)


@pytest.mark.parametrize("text", [b"{}\n", b"hello\n", b"[1]\n", b'{"kind": "other"}\n', b"\xff\n"])
def test_a_foreign_file_is_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(text)
    with pytest.raises(UsageError, match="was not made by"):
        SolutionFile(path, FACTS, WIDTH)
    assert path.read_bytes() == text


def test_lost_states_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, 2)
    features_path(path).write_bytes(b"")
    with pytest.raises(UsageError, match="shorter than"):
        SolutionFile(path, FACTS, WIDTH)
    with pytest.raises(UsageError, match="cannot read the features"):
        read_solutions(path)


@pytest.mark.parametrize(
    "lie",
    [
        {"ends": [1]},
        {"steps": ["a"]},
        {"counts": []},
        {"features": [0, 1, 2]},
        {"features": [0, 10**15]},
        {"features": [0, 10**30]},
    ],
)
def test_a_line_that_does_not_fit_is_one_line_of_error(
    tmp_path: Path, lie: dict[str, object]
) -> None:
    path = tmp_path / "a.jsonl"
    write(path, 1)
    head, first, *rest = path.read_text().splitlines()
    changed = json.dumps(json.loads(first) | lie)
    path.write_text("\n".join([head, changed, *rest, ""]))
    with pytest.raises(UsageError) as caught:
        read_solutions(path)
    assert "\n" not in str(caught.value)


def test_rows_wider_than_any_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, 1)
    _, *rest = path.read_text().splitlines()
    path.write_text("\n".join([f'{{"kind": "reasoner-solutions", "width": {10**30}}}', *rest, ""]))
    with pytest.raises(UsageError, match="how wide"):
        read_solutions(path)
