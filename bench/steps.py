"""Refuting steps: how often a refuted step is wrong, and how many wrong steps are refuted.

    python -m bench.steps processbench/gsm8k_dev.jsonl [--show]
    python -m bench.steps gsm8k/train.jsonl --n 3000 [--show]

A row with `steps` and `label` (index of the first wrong step, -1: none) is from ProcessBench:
steps up to the labelled one count, what follows an error has no label. A row with `solution` is
a person's solution, where every refutation is suspect.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import sympy_check
from reasoner.types.verdict import Outcome, Verdict

Row = dict[str, Any]


def judged(row: Row) -> list[tuple[Verdict, bool]]:
    """The verdict on each labelled step, and whether the label calls that step wrong."""
    steps, label = row["steps"], row["label"]
    counted = steps if label < 0 else steps[: label + 1]
    return [
        (sympy_check.check_step(step, 5.0), number == label) for number, step in enumerate(counted)
    ]


def report_steps(rows: list[Row], show: bool) -> None:
    verdicts = [pair for row in rows for pair in judged(row)]
    refuted = [wrong for verdict, wrong in verdicts if verdict.outcome is Outcome.FAIL]
    passed = [wrong for verdict, wrong in verdicts if verdict.outcome is Outcome.PASS]
    faulty = sum(wrong for _, wrong in verdicts)
    print(
        f"{len(verdicts)} steps, {faulty} wrong: {len(refuted)} refuted, {sum(refuted)} of them "
        f"rightly (precision {sum(refuted) / max(1, len(refuted)):.1%}, recall "
        f"{sum(refuted) / max(1, faulty):.1%}); {len(passed)} confirmed, {sum(passed)} "
        "of them wrong"
    )
    for verdict, wrong in verdicts if show else ():
        if verdict.outcome is Outcome.FAIL:
            print(f"  {'right' if wrong else 'FALSE'}: {verdict.reason}")


def report_solutions(rows: list[Row], show: bool) -> None:
    took, found = [], []
    for row in rows:
        begun = time.perf_counter()
        found.append(sympy_check.check_step(row["solution"], 5.0))
        took.append(time.perf_counter() - begun)
    refuted = [verdict for verdict in found if verdict.outcome is Outcome.FAIL]
    confirmed = sum(verdict.outcome is Outcome.PASS for verdict in found)
    print(
        f"{len(rows)} solutions by people: {len(refuted)} refuted, {confirmed} confirmed; "
        f"median {median(took) * 1000:.2f} ms, slowest {max(took) * 1000:.0f} ms"
    )
    for verdict in refuted if show else ():
        print(f"  {verdict.reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--show", action="store_true", help="list the refutations")
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.data.read_text().split("\n")[: options.n] if line]
    report = report_solutions if "solution" in rows[0] else report_steps
    report(rows, options.show)
    sympy_check.close()


if __name__ == "__main__":
    main()
