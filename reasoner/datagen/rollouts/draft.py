"""Solutions of one problem before they are numbered: they refer to each other as objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reasoner.datagen.rollouts.exercises import Exercise
from reasoner.datagen.rollouts.search import continuation_counts
from reasoner.datagen.rollouts.solution import Solution, Source
from reasoner.datagen.rollouts.trajectory import MeasuredTrajectory

__all__ = ["SolutionDraft", "sampled_draft", "to_solutions"]

Half = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class SolutionDraft:
    """A solution with the features of its last steps; of a corrupted one these are only the
    features of the changed step."""

    source: Source
    step_texts: tuple[str, ...]
    ends: tuple[int, ...]
    step_features: tuple[Half, ...]
    system: str | None = None
    origin: "SolutionDraft | None" = None
    flaw: str | None = None
    measured: MeasuredTrajectory | None = None
    right: bool | None = None
    """Whether the solution is right, for one that the policy did not sample; None: not known."""


def sampled_draft(
    measured: MeasuredTrajectory, system: str | None, origin: SolutionDraft | None = None
) -> SolutionDraft:
    """Return the draft of a sampled trajectory; `origin` is the draft that it continues."""
    return SolutionDraft(
        "sampled",
        measured.step_texts,
        measured.ends,
        measured.step_features,
        system,
        origin=origin,
        measured=measured,
    )


def to_solutions(
    exercise: Exercise, drafts: Sequence[SolutionDraft]
) -> tuple[list[Solution], list[Half]]:
    """Return the solutions, numbered in order, and the rows of features that they refer to."""
    features: dict[int, Half] = {}
    for draft in drafts:
        features |= {id(row): row for row in draft.step_features}
    row_numbers = {key: number for number, key in enumerate(features)}
    trajectories = [draft.measured for draft in drafts if draft.measured is not None]
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
            features=tuple(row_numbers[id(row)] for row in draft.step_features),
            **_outcome(draft, trajectories),
        )
        for number, draft in enumerate(drafts)
    ]
    return solutions, list(features.values())


def _outcome(draft: SolutionDraft, trajectories: Sequence[MeasuredTrajectory]) -> dict[str, Any]:
    """Return the fields of a solution that say how it ended."""
    if (measured := draft.measured) is None:
        return {"right": draft.right}
    finish_reason = measured.trajectory.finish_reason
    return {
        "final": measured.final,
        "right": measured.right,
        "finish": None if finish_reason is None else finish_reason.value,
        "counts": continuation_counts(measured, trajectories),
    }
