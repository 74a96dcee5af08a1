"""Problems with known answers from which data is made, one JSON object a line."""

import json
import random
from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["Exercise", "read_exercises"]

MAX_FILE_BYTES = 1 << 30
QUESTION_ALIASES = AliasChoices("question", "problem")


class Exercise(BaseModel):
    """A question with its answer and perhaps a human solution, whose lines are its steps.

    Or a question with judged `steps`, as in ProcessBench (Zheng et al. 2024): `label` is the index
    of the first wrong step, or -1 when all are right.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: Annotated[str, Field(min_length=1, max_length=200)]
    question: Annotated[
        str, Field(min_length=1, max_length=20_000, validation_alias=QUESTION_ALIASES)
    ]
    answer: Annotated[str, Field(max_length=1000)] = ""
    solution: Annotated[str, Field(max_length=20_000)] | None = None
    steps: tuple[Annotated[str, Field(max_length=20_000)], ...] = ()
    label: Annotated[int, Field(ge=-1)] | None = None

    @model_validator(mode="after")
    def _require_answer_or_steps(self) -> Self:
        if not self.answer and not self.judged:
            raise ValueError("an answer is needed, or steps with a label")
        if self.steps and self.label is not None and self.label >= len(self.steps):
            raise ValueError("label names no step")
        return self

    @property
    def judged(self) -> tuple[str, ...]:
        """The steps that are known to be right or wrong: none without a label, and none after the
        first wrong one."""
        if self.label is None:
            return ()
        return self.steps if self.label < 0 else self.steps[: self.label + 1]


def read_exercises(path: Path, limit: int | None, seed: int) -> list[Exercise]:
    """Return the first `limit` exercises of a shuffle with `seed`.

    Raises UsageError when the file cannot be read, is too large, has no problems or a bad line, or
    uses an id twice.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than 1 GB; split it")
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    exercises: dict[str, Exercise] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            exercise = _parse(path, number, line)
            if exercise.id in exercises:
                raise UsageError(f"{path}: line {number}: the id {exercise.id!r} came before")
            exercises[exercise.id] = exercise
    if not exercises:
        raise UsageError(
            f"{path} holds no problems: lines of question and answer, or of steps and label"
        )
    shuffled = list(exercises.values())
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    return shuffled[:limit]


def _parse(path: Path, number: int, line: str) -> Exercise:
    try:
        row = json.loads(line)
        return Exercise.model_validate({"id": f"{path.stem}-{number}", **row})
    except ValidationError as error:
        raise UsageError(f"{path}: line {number}: {explain(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: line {number} is not a JSON object: {error}") from error
