"""Questions with known answers, read from files as problem sets write them."""

import json
from pathlib import Path

import pytest

from reasoner.errors import UsageError
from reasoner.evaluation.question import load_questions


def write_rows(file: Path, *rows: object) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


@pytest.mark.parametrize(
    ("row", "expect"),
    [
        ({"question": "2+2?", "answer": 4}, "4"),
        ({"problem": "2+2?", "target": "four"}, "four"),
        ({"question": "2+2?", "answer": "2+2=4\n#### 4"}, "4"),
        ({"problem": "2+2?", "solution": "It is $\\boxed{4}$."}, "4"),
        ({"question": "2+2?", "gold": "4", "answer": "5"}, "4"),
    ],
)
def test_the_known_answer_is_withheld(tmp_path: Path, row: object, expect: str) -> None:
    (question,), complaints = load_questions([write_rows(tmp_path / "a.jsonl", row)], None, 0)
    assert question.known.expect == expect
    assert question.item.problem is not None
    assert question.item.problem.expect is None
    assert complaints == []


def test_tests_are_withheld_too(tmp_path: Path) -> None:
    row = {"prompt": "def f():", "test": "assert f() == 1", "entry_point": "f"}
    (question,), _ = load_questions([write_rows(tmp_path / "a.jsonl", row)], None, 0)
    assert question.known.tests == "assert f() == 1"
    assert question.item.problem is not None
    assert (question.item.problem.tests, question.item.problem.entry_point) == (None, "f")


def test_unusable_rows_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    file = write_rows(
        tmp_path / "a.jsonl", {"question": "a"}, [1], {"question": "b", "answer": "1", "level": 3}
    )
    (question,), complaints = load_questions([file], None, 0)
    assert question.level == "3"
    assert complaints[0].startswith("a.jsonl: line 1: no known answer")
    assert complaints[1] == "a.jsonl: line 2: a list, not an object"


def test_a_file_without_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no question with a known answer"):
        load_questions([write_rows(tmp_path / "a.jsonl", {"question": "a"})], None, 0)
    with pytest.raises(UsageError, match="cannot read"):
        load_questions([tmp_path / "none.jsonl"], None, 0)


def test_the_sample_follows_the_seed(tmp_path: Path) -> None:
    file = write_rows(
        tmp_path / "a.jsonl", *({"id": n, "question": "q", "answer": n} for n in range(40))
    )
    samples = [
        [question.item.id for question in load_questions([file], 5, seed)[0]] for seed in (0, 0, 1)
    ]
    assert samples[0] == samples[1] != samples[2]
    assert len(samples[0]) == 5


def test_ids_of_several_files_stay_apart(tmp_path: Path) -> None:
    files = [
        write_rows(tmp_path / name, {"id": 1, "question": "q", "answer": 1})
        for name in ("a.jsonl", "b.jsonl")
    ]
    questions, _ = load_questions(files, None, 0)
    assert [question.item.id for question in questions] == ["a/1", "b/1"]
