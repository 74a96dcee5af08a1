"""How far a stated confidence can be believed: reliability diagram and calibration error.

    python -m bench.accuracy DATA.jsonl … --out RESULTS.jsonl
    python -m bench.reliability RESULTS.jsonl [--bins 5]

Answers are sorted into bins of equal width by their confidence; a bin's mean confidence should be
the share of its answers that are right. The expected calibration error (Naeini et al. 2015) is the
mean difference of the two, each bin weighted by its answers; the interval is a bootstrap's.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

Told = tuple[float, bool]
"""A confidence, and whether the answer was right."""
WIDTH = 40


def load(path: Path) -> list[Told]:
    """The answers that came with a confidence; `verified` against the known answer is right."""
    rows = [json.loads(line) for line in path.read_text().split("\n") if line.strip()]
    return [
        (row["confidence"], row["status"] == "verified")
        for row in rows
        if row.get("confidence") is not None
    ]


def binned(told: Sequence[Told], bins: int) -> list[list[Told]]:
    sorted_: list[list[Told]] = [[] for _ in range(bins)]
    for confidence, right in told:
        sorted_[min(bins - 1, int(confidence * bins))].append((confidence, right))
    return sorted_


def calibration_error(told: Sequence[Told], bins: int) -> float:
    filled = filter(None, binned(told, bins))
    return sum(len(group) * abs(_gap(group)) for group in filled) / len(told)


def _gap(group: Sequence[Told]) -> float:
    return fmean(confidence for confidence, _ in group) - fmean(right for _, right in group)


def interval(told: Sequence[Told], bins: int, draws: int = 1000) -> tuple[float, float]:
    """95 % of the errors of as many answers drawn with replacement."""
    chance = random.Random(0)
    errors = sorted(
        calibration_error(chance.choices(told, k=len(told)), bins) for _ in range(draws)
    )
    return errors[int(0.025 * draws)], errors[int(0.975 * draws)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path)
    parser.add_argument("--bins", type=int, default=5)
    options = parser.parse_args()
    told = load(options.results)
    if not told:
        raise SystemExit("no result has a confidence; measure a strategy that votes")
    print("stated  right  answers")
    for group in filter(None, binned(told, options.bins)):
        stated, right = (fmean(item[i] for item in group) for i in (0, 1))
        bar = "".join("█" if n < right * WIDTH else "·" for n in range(WIDTH))
        mark = min(WIDTH - 1, int(stated * WIDTH))
        print(f"{stated:5.0%}  {right:5.0%}  {len(group):7}  {bar[:mark]}|{bar[mark + 1 :]}")
    low, high = interval(told, options.bins)
    error = calibration_error(told, options.bins)
    print(f"\nexpected calibration error {error:.1%} [{low:.1%}, {high:.1%}], {len(told)} answers")


if __name__ == "__main__":
    main()
