"""Solutions of one problem before they are written down: which came from which, by reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reasoner.datagen.rollouts.exercises import Exercise
from reasoner.datagen.rollouts.search import continuation_counts
from reasoner.datagen.rollouts.solution import Solution, Source
from reasoner.datagen.rollouts.trajectory import MeasuredTrajectory

__all__ = ["SolutionDraft", "to_solutions"]

Half = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class SolutionDraft:
    """A solution read or drawn. `rows` are the features of its last steps: a corrupted one has only
    those of the step that was changed."""

    source: Source
    step_texts: tuple[str, ...]
    ends: tuple[int, ...]
    step_features: tuple[Half, ...]
    system: str | None = None
    origin: "SolutionDraft | None" = None
    flaw: str | None = None
    measured: MeasuredTrajectory | None = None
    right: bool | None = None
    """What is known of it when the policy did not draw it."""


def to_solutions(
    exercise: Exercise, drafts: Sequence[SolutionDraft]
) -> tuple[list[Solution], list[Half]]:
    """The solutions, numbered in order, and the rows of features they refer to, each kept once."""
    features: dict[int, Half] = {}
    for draft in drafts:
        features |= {id(row): row for row in draft.step_features}
    places = {key: place for place, key in enumerate(features)}
    lines = [draft.measured for draft in drafts if draft.measured is not None]
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
            steps=draft.step_texts,
            ends=draft.ends,
            features=tuple(places[id(row)] for row in draft.step_features),
            **_outcome(draft, lines),
        )
        for number, draft in enumerate(drafts)
    ]
    return solutions, list(features.values())


def _outcome(draft: SolutionDraft, lines: Sequence[MeasuredTrajectory]) -> dict[str, Any]:
    if (line := draft.measured) is None:
        return {"right": draft.right}
    finish = line.trajectory.finish_reason
    return {
        "final": line.final,
        "right": line.right,
        "finish": None if finish is None else finish.value,
        "counts": continuation_counts(line, lines),
    }
