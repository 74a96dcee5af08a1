"""Problems with known answers to make data from, one JSON object a line."""

import json
import random
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["Exercise", "read_exercises"]

MOST_BYTES = 1 << 30


class Exercise(BaseModel):
    """A question, its known answer and, where somebody wrote one, a solution line by line."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: Annotated[str, Field(min_length=1, max_length=200)]
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    answer: Annotated[str, Field(min_length=1, max_length=1000)]
    solution: Annotated[str, Field(max_length=20_000)] | None = None


def read_exercises(path: Path, limit: int | None, seed: int) -> list[Exercise]:
    """The first `limit` exercises of a shuffle with `seed`. Raises UsageError."""
    try:
        if path.stat().st_size > MOST_BYTES:
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
        raise UsageError(f"{path} holds no problems; each line has question and answer")
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
