"""Questions with known answers, read from the files of problem sets."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reasoner.answers.extraction import extract_marked_answer
from reasoner.batch.item import BatchItem, make_batch_item
from reasoner.batch.rows import Row, field_text, parse_row, read_lines
from reasoner.errors import UsageError
from reasoner.types.problem import Problem

__all__ = ["EvalQuestion", "load_questions"]

ANSWER_FIELDS = ("expect", "gold", "answer", "target", "solution")
"""Fields that hold the known answer, in the order in which they are looked for."""
LEVEL_FIELDS = ("level", "difficulty")
SOLUTION_END = re.compile(r"^#### *(.+)$", re.MULTILINE)
"""The line after which the solutions of GSM8K state their answer."""


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question of a problem set.

    `item` holds the problem as the policy gets it, without the known answer; `known` is the same
    problem with the known answer or the tests. `dataset` is the file's name without suffix, and
    `level` the difficulty that the file states, None when it states none.
    """

    item: BatchItem
    known: Problem
    dataset: str
    level: str | None = None


def load_questions(
    files: Sequence[Path], count: int | None, seed: int, expect_field: str | None = None
) -> tuple[list[EvalQuestion], list[str]]:
    """Return the first `count` questions of each file after a shuffle with the seed (all, in their
    order, when `count` is None), and one line for each row that cannot be used.

    Raises UsageError for a file that cannot be read and for one without a usable row.
    """
    questions: list[EvalQuestion] = []
    complaints: list[str] = []
    names = _dataset_names(files)
    for file, name in zip(files, names, strict=True):
        usable: list[EvalQuestion] = []
        for question in _read_questions(file, name, expect_field, with_name=len(files) > 1):
            if isinstance(question, EvalQuestion):
                usable.append(question)
            else:
                complaints.append(f"{file.name}: {question}")
        if not usable:
            reason = complaints[-1] if complaints else f"{file.name}: it is empty"
            raise UsageError(f"no question with a known answer; {reason}")
        if count is not None:
            random.Random(seed).shuffle(usable)  # noqa: S311 (a sample, no secret)
        questions += usable[:count]
    return questions, complaints


def _dataset_names(files: Sequence[Path]) -> list[str]:
    """Return the stems of the files; where they are the same, the folders' names are put before."""
    stems = [file.stem for file in files]
    if len(set(stems)) < len(stems):
        stems = [f"{file.absolute().parent.name}-{file.stem}" for file in files]
    if len(set(stems)) < len(stems):
        raise UsageError("two of the files have the same name and folder; rename one")
    return stems


def _read_questions(
    file: Path, dataset: str, expect_field: str | None, *, with_name: bool
) -> Iterator[EvalQuestion | str]:
    """Yield the questions of a file, and a line of complaint in place of each unusable row."""
    ids: set[str] = set()
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(read_lines(stream.fileno()), 1):
                if line.strip():
                    try:
                        question = _make_question(number, line, dataset, expect_field, with_name)
                    except ValueError as error:
                        yield f"line {number}: {error}"
                        continue
                    repeated = question.item.key in ids
                    ids.add(question.item.key)
                    yield f"line {number}: its id is there twice" if repeated else question
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _make_question(
    number: int, line: bytes, dataset: str, expect_field: str | None, with_name: bool
) -> EvalQuestion:
    """Return the question of a row. Raises ValueError with a reason when it is none."""
    row = parse_row(line)
    item = make_batch_item(number, line, partial(parse_row, line), None)
    if item.problem is None:
        raise ValueError((item.error or "").removeprefix(f"line {number}: "))
    expect, tests = _known_answer(row, expect_field), item.problem.tests
    if expect is None and tests is None:
        wanted = expect_field or f"{', '.join(ANSWER_FIELDS[:-1])} or {ANSWER_FIELDS[-1]}"
        raise ValueError(f"no known answer; its field is to be called {wanted}")
    known = item.problem.model_copy(update={"expect": None if tests else expect})
    asked = item.problem.model_copy(update={"expect": None, "tests": None})
    name = f"{dataset}/{item.id}" if with_name else item.id
    level = next((str(row[field]) for field in LEVEL_FIELDS if row.get(field) is not None), None)
    return EvalQuestion(BatchItem(name, number, item.size, asked), known, dataset, level)


def _known_answer(row: Row, expect_field: str | None) -> str | None:
    """Return the known answer: the line after `####` or the last box of a whole solution, else the
    field's text."""
    for field in (expect_field,) if expect_field else ANSWER_FIELDS:
        text = field_text(row, field)
        if text is None or not text.strip():
            continue
        if ends := SOLUTION_END.findall(text):
            return str(ends[-1]).strip()
        if field == "solution" and expect_field is None:
            return extract_marked_answer(text)
        return text
    return None
