"""How far a stated confidence can be believed: reliability diagram and calibration error.

    python -m bench.accuracy DATA.jsonl … --out RESULTS.jsonl
    python -m bench.reliability RESULTS.jsonl [--bins 5]

Answers are sorted into bins of equal width by their confidence; a bin's mean confidence should be
the share of its answers that are right. The expected calibration error (Naeini et al. 2015) is the
mean difference of the two, each bin weighted by its answers; the interval is a bootstrap's.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from bench.json_lines import read_json_lines
from reasoner.metrics import equal_width_calibration_error

BAR_CHARS = 40


class StatedAnswer(NamedTuple):
    """The confidence that a result states, and whether its answer is right."""

    confidence: float
    right: bool


def load_stated_answers(path: Path) -> list[StatedAnswer]:
    """Return the answers that state a confidence; `verified` against the known answer is right."""
    return [
        StatedAnswer(row["confidence"], row["status"] == "verified")
        for row in read_json_lines(path)
        if row.get("confidence") is not None
    ]


def bins_of_answers(answers: Sequence[StatedAnswer], bins: int) -> list[list[StatedAnswer]]:
    """Return the answers of each bin, from the lowest confidence to the highest."""
    groups: list[list[StatedAnswer]] = [[] for _ in range(bins)]
    for answer in answers:
        groups[min(bins - 1, int(answer.confidence * bins))].append(answer)
    return groups


def expected_calibration_error(answers: Sequence[StatedAnswer], bins: int) -> float:
    """Return the error over `bins` bins of equal width."""
    confidences, right = np.array(answers, np.float64).T
    return equal_width_calibration_error(confidences, right, bins)


def bootstrap_interval(
    answers: Sequence[StatedAnswer], bins: int, draws: int = 1000
) -> tuple[float, float]:
    """Return the middle 95 % of the errors of as many answers drawn with replacement."""
    generator = random.Random(0)
    errors = sorted(
        expected_calibration_error(generator.choices(answers, k=len(answers)), bins)
        for _ in range(draws)
    )
    return errors[int(0.025 * draws)], errors[int(0.975 * draws)]


def print_diagram(answers: Sequence[StatedAnswer], bins: int) -> None:
    """Print a line for each bin: its bar is the share that is right, `|` the confidence."""
    print("stated  right  answers")
    for group in filter(None, bins_of_answers(answers, bins)):
        stated = fmean(answer.confidence for answer in group)
        right = fmean(answer.right for answer in group)
        bar = "".join("█" if column < right * BAR_CHARS else "·" for column in range(BAR_CHARS))
        mark = min(BAR_CHARS - 1, int(stated * BAR_CHARS))
        print(f"{stated:5.0%}  {right:5.0%}  {len(group):7}  {bar[:mark]}|{bar[mark + 1 :]}")


def main() -> None:
    """Print the diagram and the error. Raises SystemExit when no result states a confidence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path)
    parser.add_argument("--bins", type=int, default=5)
    options = parser.parse_args()
    answers = load_stated_answers(options.results)
    if not answers:
        raise SystemExit("no result has a confidence; measure a strategy that votes")
    print_diagram(answers, options.bins)
    low, high = bootstrap_interval(answers, options.bins)
    error = expected_calibration_error(answers, options.bins)
    count = len(answers)
    print(f"\nexpected calibration error {error:.1%} [{low:.1%}, {high:.1%}], {count} answers")


if __name__ == "__main__":
    main()
