"""Solutions of one problem before they are written down: which came from which, by reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reasoner.pipelines.line import Line
from reasoner.pipelines.problems import Exercise
from reasoner.pipelines.search import counts
from reasoner.pipelines.solution import Solution, Source

__all__ = ["Draft", "written_down"]

Half = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Draft:
    """A solution read or drawn. `rows` are the states at the ends of its last steps: a corrupted
    one has only that of the step that was changed."""

    source: Source
    texts: tuple[str, ...]
    ends: tuple[int, ...]
    rows: tuple[Half, ...]
    system: str | None = None
    origin: "Draft | None" = None
    flaw: str | None = None
    line: Line | None = None


def written_down(exercise: Exercise, drafts: Sequence[Draft]) -> tuple[list[Solution], list[Half]]:
    """The solutions, numbered in order, and their states, each kept once."""
    states: dict[int, Half] = {}
    for draft in drafts:
        states |= {id(row): row for row in draft.rows}
    places = {key: place for place, key in enumerate(states)}
    lines = [draft.line for draft in drafts if draft.line is not None]
    numbers = {id(draft): number for number, draft in enumerate(drafts)}
    solutions = [
        Solution(
            problem=exercise.id,
            number=number,
            source=draft.source,
            question=exercise.question,
            answer=exercise.answer,
            system=draft.system,
            origin=None if draft.origin is None else numbers[id(draft.origin)],
            flaw=draft.flaw,
            steps=draft.texts,
            ends=draft.ends,
            states=tuple(places[id(row)] for row in draft.rows),
            **_outcome(draft.line, lines),
        )
        for number, draft in enumerate(drafts)
    ]
    return solutions, list(states.values())


def _outcome(line: Line | None, lines: Sequence[Line]) -> dict[str, Any]:
    if line is None:
        return {}
    finish = line.path.finish_reason
    return {
        "final": line.final,
        "right": line.right,
        "finish": None if finish is None else finish.value,
        "counts": counts(line, lines),
    }
