"""Problems with known answers to make data from, one JSON object a line."""

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
    """A question, its known answer and, where somebody wrote one, a solution line by line.

    Or a question with `steps` that somebody has judged, as ProcessBench has them (Zheng et al.
    2024): `label` is the index of the first wrong one, or -1.
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
    def _whole(self) -> Self:
        if not self.answer and not self.judged:
            raise ValueError("an answer is needed, or steps with a label")
        if self.steps and self.label is not None and self.label >= len(self.steps):
            raise ValueError("label names no step")
        return self

    @property
    def judged(self) -> tuple[str, ...]:
        """The steps about which it is known whether they are right: none without a label, none
        behind the first that is wrong."""
        if self.label is None:
            return ()
        return self.steps if self.label < 0 else self.steps[: self.label + 1]


def read_exercises(path: Path, limit: int | None, seed: int) -> list[Exercise]:
    """The first `limit` exercises of a shuffle with `seed`. Raises UsageError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than 1 GB; split it")
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    found: dict[str, Exercise] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            exercise = _parse(path, number, line)
            if exercise.id in found:
                raise UsageError(f"{path}: line {number}: the id {exercise.id!r} came before")
            found[exercise.id] = exercise
    if not found:
        raise UsageError(
            f"{path} holds no problems: lines of question and answer, or of steps and label"
        )
    chosen = list(found.values())
    random.Random(seed).shuffle(chosen)  # noqa: S311
    return chosen[:limit]


def _parse(path: Path, number: int, line: str) -> Exercise:
    try:
        row = json.loads(line)
        return Exercise.model_validate({"id": f"{path.stem}-{number}", **row})
    except ValidationError as error:
        raise UsageError(f"{path}: line {number}: {explain(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: line {number} is not a JSON object: {error}") from error
