"""Labels of steps: which rows of features belong to right steps, and with what weight.

Steps that a person judged have the highest weight. Weight 1 have the other certain labels: steps of
right solutions, steps with a right continuation (the hard label of Math-Shepherd) or with several
continuations of which none is right, wrong final answers, corrupted steps, and steps of human
solutions. In a wrong solution of which only the outcome is known, a step with a result that no
right solution mentions is taken for the error, with half the weight. Steps after an error have no
weight, nor has the last step of a truncated solution.
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
MAX_NUMBER_CHARS = 40
MAX_UNCERTAIN_CONTINUATIONS = 2
"""With more continuations than this, none of them right, a step is certainly wrong."""
INFERRED_LABEL_WEIGHT = 0.5
"""The weight of a label that is only inferred from the outcome."""
HUMAN_LABEL_WEIGHT = 4.0
"""The weight of a human label. It is higher than that of sampled ones: a wrong step may occur in a
right solution, and a right step may have no right continuation among a few."""


class LabelledSteps(NamedTuple):
    """Arrays with one entry for each labelled row of features: its number, whether its step is
    right (1.0 or 0.0), the label's weight, the number of its problem, and whether the policy
    sampled it."""

    rows: npt.NDArray[np.int64]
    right: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    problems: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.bool_]


class _StepLabel(NamedTuple):
    right: bool
    weight: float


def label_steps(solutions: Sequence[Solution]) -> LabelledSteps:
    """Return the labels of all rows. A row that several solutions share is right when one of them
    has it as right."""
    entries: list[tuple[int, _StepLabel, int, bool]] = []
    ordered = sorted(solutions, key=lambda solution: (solution.problem, solution.number))
    for number, (_, group) in enumerate(groupby(ordered, key=lambda solution: solution.problem)):
        members = list(group)
        known_numbers = _known_numbers(members)
        labels: dict[int, tuple[_StepLabel, bool]] = {}
        for solution in members:
            sampled = solution.source == "sampled"
            step_labels = _step_labels(solution, known_numbers)
            for row, label in zip(solution.features, step_labels, strict=True):
                if row not in labels or label > labels[row][0]:
                    labels[row] = (label, sampled)
        entries += [(row, label, number, sampled) for row, (label, sampled) in labels.items()]
    return LabelledSteps(
        np.array([row for row, *_ in entries], np.int64),
        np.array([label.right for _, label, *_ in entries], np.float64),
        np.array([label.weight for _, label, *_ in entries], np.float64),
        np.array([number for *_, number, _ in entries], np.int64),
        np.array([sampled for *_, sampled in entries], np.bool_),
    )


def _step_labels(solution: Solution, known_numbers: set[float]) -> list[_StepLabel]:
    """Return a label for each row of a solution; `known_numbers` are those of right solutions."""
    if solution.source == "human":
        return [_StepLabel(True, 1.0)] * len(solution.features)
    if solution.source == "corrupted":
        return [_StepLabel(False, 1.0)] * len(solution.features)
    if solution.source == "judged":
        last = len(solution.features) - 1
        right_rows = [bool(solution.right) or row < last for row in range(last + 1)]
        return [_StepLabel(right, HUMAN_LABEL_WEIGHT) for right in right_rows]
    labels = [_sampled_label(solution, step, known_numbers) for step in range(len(solution.steps))]
    first_wrong = next((step for step, label in enumerate(labels) if not label.right), len(labels))
    unlabelled_steps = len(labels) - first_wrong - 1
    return [*labels[: first_wrong + 1], *[_StepLabel(False, 0.0)] * unlabelled_steps]


def _sampled_label(solution: Solution, step: int, known_numbers: set[float]) -> _StepLabel:
    """Return the label of one step of a sampled solution, regardless of the steps before it."""
    right, continuations = solution.counts[step]
    if right:
        return _StepLabel(True, 1.0)
    if solution.finish not in (None, "stop"):  # truncated: the outcome is no evidence
        return _StepLabel(False, 0.0)
    if step + 1 == len(solution.steps) or continuations > MAX_UNCERTAIN_CONTINUATIONS:
        return _StepLabel(False, 1.0)
    return _StepLabel(_results(solution.steps[step]) <= known_numbers, INFERRED_LABEL_WEIGHT)


def _known_numbers(solutions: Iterable[Solution]) -> set[float]:
    """Return every number in the question and in the steps of right and human solutions."""
    numbers: set[float] = set()
    for solution in solutions:
        numbers |= _values(NUMBER_PATTERN.findall(solution.question))
        if solution.source == "human" or solution.right:
            for step in solution.steps:
                numbers |= _values(NUMBER_PATTERN.findall(step))
    return numbers


def _results(text: str) -> set[float]:
    """Return the results in a step: the numbers after signs of equality and in boxes."""
    return _values(equal or boxed for equal, boxed in RESULT_PATTERN.findall(text))


def _values(texts: Iterable[str]) -> set[float]:
    return {float(text.replace(",", "")) for text in texts if len(text) < MAX_NUMBER_CHARS}
