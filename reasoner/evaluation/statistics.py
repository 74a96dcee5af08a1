"""The figures of an evaluation: accuracy, cost and calibration of each variant, and comparisons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Any

from reasoner.evaluation.record import ScoredRow
from reasoner.metrics import equal_width_calibration_error, sign_test, wilson_interval
from reasoner.types.result import Status

__all__ = [
    "CalibrationBin",
    "PairedComparison",
    "VariantSummary",
    "calibration_bins",
    "compare_variants",
    "group_by_difficulty",
    "on_pareto_line",
    "summarise_variant",
]

BIN_COUNT = 10
MIN_CONFIDENCES = 20
"""Confidences below which no calibration error is stated."""


@dataclass(frozen=True, slots=True)
class VariantSummary:
    """The figures of one variant.

    `interval` is Wilson's 95 % interval of the accuracy. `open_count` are answers that no check
    decided; they count as not right. `mean_tokens` and `median_seconds` are per question.
    `statuses` counts (status, right) pairs. `calibration_error` is None below MIN_CONFIDENCES
    confidences.
    """

    name: str
    count: int
    right: int
    open_count: int
    interval: tuple[float, float]
    mean_tokens: float
    median_seconds: float
    statuses: Mapping[tuple[Status, bool], int]
    calibration_error: float | None

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.count

    def to_mapping(self) -> dict[str, Any]:
        """Return the summary as data for JSON."""
        return {
            "variant": self.name,
            "n": self.count,
            "right": self.right,
            "undecided": self.open_count,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "mean_tokens": self.mean_tokens,
            "median_seconds": self.median_seconds,
            "statuses": [
                {"status": status, "right": right, "count": count}
                for (status, right), count in sorted(self.statuses.items())
            ],
            "calibration_error": self.calibration_error,
        }


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two variants on the questions that both answered: questions that only the second has right,
    questions that only the first has right, and the p of the sign test on these."""

    first: str
    second: str
    count: int
    wins: int
    losses: int
    p: float

    def to_mapping(self) -> dict[str, Any]:
        """Return the comparison as data for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The answers whose confidence lies in a tenth of [0, 1]: their number, their mean confidence
    and their share of right ones."""

    count: int
    confidence: float
    accuracy: float


def summarise_variant(name: str, rows: Sequence[ScoredRow]) -> VariantSummary:
    """Return the figures of a variant from the rows of its answers, of which there is at least
    one."""
    right = sum(row.correct is True for row in rows)
    return VariantSummary(
        name=name,
        count=len(rows),
        right=right,
        open_count=sum(row.correct is None for row in rows),
        interval=wilson_interval(right, len(rows)),
        mean_tokens=fmean(row.tokens for row in rows),
        median_seconds=median(row.seconds for row in rows),
        statuses=Counter((row.status, row.correct is True) for row in rows),
        calibration_error=_calibration_error(rows),
    )


def _calibration_error(rows: Sequence[ScoredRow]) -> float | None:
    import numpy as np

    stated = [(row.confidence, row.correct is True) for row in rows if row.confidence is not None]
    if len(stated) < MIN_CONFIDENCES:
        return None
    scores, right = np.array(stated, dtype=float).T
    return equal_width_calibration_error(scores, right, BIN_COUNT)


def compare_variants(rows: Mapping[str, Sequence[ScoredRow]]) -> list[PairedComparison]:
    """Return the comparison of each pair of variants, on the questions that both answered."""
    right_by_variant = {
        name: {row.id: row.correct is True for row in answers} for name, answers in rows.items()
    }
    comparisons = []
    for (first, before), (second, after) in combinations(right_by_variant.items(), 2):
        shared = before.keys() & after.keys()
        wins = sum(after[key] and not before[key] for key in shared)
        losses = sum(before[key] and not after[key] for key in shared)
        p = sign_test(wins, losses)
        comparisons.append(PairedComparison(first, second, len(shared), wins, losses, p))
    return comparisons


def calibration_bins(rows: Sequence[ScoredRow]) -> list[CalibrationBin]:
    """Return the non-empty tenths of the stated confidences, from low to high."""
    bins: list[list[ScoredRow]] = [[] for _ in range(BIN_COUNT)]
    for row in rows:
        if row.confidence is not None:
            bins[min(BIN_COUNT - 1, int(row.confidence * BIN_COUNT))].append(row)
    return [
        CalibrationBin(
            len(members),
            fmean(row.confidence or 0.0 for row in members),
            fmean(row.correct is True for row in members),
        )
        for members in bins
        if members
    ]


def group_by_difficulty(
    rows: Mapping[str, Sequence[ScoredRow]],
) -> dict[str, dict[str, list[ScoredRow]]]:
    """Return the rows by difficulty and variant, the easiest first.

    The difficulty is the level that the problem set states, where it states one for every question;
    else whether all variants have the question right, some, or none.
    """
    answers = [row for variant in rows.values() for row in variant]
    if all(row.level is not None for row in answers):
        labels = {row.id: f"level {row.level}" for row in answers}
        order = sorted(set(labels.values()))
    else:
        right: dict[str, list[bool]] = {}
        for row in answers:
            right.setdefault(row.id, []).append(row.correct is True)
        labels = {key: _difficulty(marks) for key, marks in right.items()}
        order = [label for label in DIFFICULTIES if label in labels.values()]
    return {
        label: {
            name: [row for row in variant if labels[row.id] == label]
            for name, variant in rows.items()
        }
        for label in order
    }


DIFFICULTIES = ("right in all", "right in some", "right in none")


def _difficulty(marks: Sequence[bool]) -> str:
    return DIFFICULTIES[0 if all(marks) else 1 if any(marks) else 2]


def on_pareto_line(summaries: Sequence[VariantSummary]) -> list[VariantSummary]:
    """Return the variants than which none is as right with fewer tokens, by their tokens."""
    ordered = sorted(summaries, key=lambda each: (each.mean_tokens, -each.accuracy))
    line: list[VariantSummary] = []
    for summary in ordered:
        if not line or summary.accuracy > line[-1].accuracy:
            line.append(summary)
    return line
