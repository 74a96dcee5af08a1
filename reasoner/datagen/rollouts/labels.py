"""From solutions to labelled rows of features: which steps are right, and how sure that is.

What a person judged counts most. What else is certain counts fully: the steps of a right solution,
a step from which a right one was reached (Math-Shepherd's hard label), one from which none was in
several tries, a wrong final answer, a step made wrong, a step a person wrote. Where only the
outcome of a wrong solution is known, a step whose results nobody else who was right arrived at is
taken for the error, and this counts half. What follows an error in the same solution counts
nothing, nor does the end of one that was cut off.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reasoner.datagen.rollouts.solution import Solution

__all__ = ["LabelledSteps", "label_steps"]

RESULT_PATTERN = re.compile(
    r"=\s*\\?\$?\s*(-?\d[\d,]*(?:\.\d+)?)|\\boxed\{\s*\\?\$?\s*(-?\d[\d,]*(?:\.\d+)?)"
)
NUMBER_PATTERN = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
MAX_UNCERTAIN_CONTINUATIONS = 2
"""From so many continuations on, that none was right counts as certain."""
INFERRED_LABEL_WEIGHT = 0.5
"""How much a label counts that is only inferred."""
HUMAN_LABEL_WEIGHT = 4.0
"""How much a person's word counts: a step that a right solution goes through may be wrong, and one
that none was drawn from in a few tries may be right."""


class LabelledSteps(NamedTuple):
    """One entry for each row: its number, whether its step is right (1.0 or 0.0), how much that
    counts, which problem it belongs to (numbered) and where it came from."""

    rows: npt.NDArray[np.int64]
    right: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    problems: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.bool_]


class _Mark(NamedTuple):
    right: bool
    weight: float


def label_steps(solutions: Sequence[Solution]) -> LabelledSteps:
    """The labels of all rows that have one. A row that several solutions share is right when
    one of them says so."""
    entries: list[tuple[int, _Mark, int, bool]] = []
    ordered = sorted(solutions, key=lambda solution: (solution.problem, solution.number))
    for number, (_, group) in enumerate(groupby(ordered, key=lambda solution: solution.problem)):
        members = list(group)
        reached = _reached(members)
        found: dict[int, tuple[_Mark, bool]] = {}
        for solution in members:
            sampled = solution.source == "sampled"
            for row, mark in zip(solution.features, _marks(solution, reached), strict=True):
                if row not in found or mark > found[row][0]:
                    found[row] = (mark, sampled)
        entries += [(row, mark, number, sampled) for row, (mark, sampled) in found.items()]
    return LabelledSteps(
        np.array([row for row, *_ in entries], np.int64),
        np.array([mark.right for _, mark, *_ in entries], np.float64),
        np.array([mark.weight for _, mark, *_ in entries], np.float64),
        np.array([number for *_, number, _ in entries], np.int64),
        np.array([sampled for *_, sampled in entries], np.bool_),
    )


def _marks(solution: Solution, reached: set[float]) -> list[_Mark]:
    """A mark for each row of the solution."""
    if solution.source == "human":
        return [_Mark(True, 1.0)] * len(solution.features)
    if solution.source == "corrupted":
        return [_Mark(False, 1.0)] * len(solution.features)
    if solution.source == "judged":
        last = len(solution.features) - 1
        return [
            _Mark(bool(solution.right) or row < last, HUMAN_LABEL_WEIGHT) for row in range(last + 1)
        ]
    marks: list[_Mark] = []
    for step, text in enumerate(solution.steps):
        right, tries = solution.counts[step]
        if right:
            marks.append(_Mark(True, 1.0))
        elif solution.finish not in (None, "stop"):
            marks.append(_Mark(False, 0.0))  # it was cut off, so its answer says nothing
        elif step + 1 == len(solution.steps) or tries > MAX_UNCERTAIN_CONTINUATIONS:
            marks.append(_Mark(False, 1.0))
        else:
            marks.append(_Mark(_results(text) <= reached, INFERRED_LABEL_WEIGHT))
    wrong = next((step for step, mark in enumerate(marks) if not mark.right), len(marks))
    return [*marks[: wrong + 1], *[_Mark(False, 0.0)] * (len(marks) - wrong - 1)]


def _reached(solutions: Iterable[Solution]) -> set[float]:
    """Every number that the question or somebody who was right mentions."""
    found: set[float] = set()
    for solution in solutions:
        found |= _numbers(NUMBER_PATTERN.findall(solution.question))
        if solution.source == "human" or solution.right:
            found |= {
                value for step in solution.steps for value in _numbers(NUMBER_PATTERN.findall(step))
            }
    return found


def _results(text: str) -> set[float]:
    """What the step arrives at: the numbers behind its signs of equality and in its boxes."""
    return _numbers(left or right for left, right in RESULT_PATTERN.findall(text))


def _numbers(texts: Iterable[str]) -> set[float]:
    return {float(text.replace(",", "")) for text in texts if len(text) < 40}
