"""The check of single steps: precision and recall of its refutations.

    python -m bench.steps processbench/gsm8k_dev.jsonl [--show]
    python -m bench.steps gsm8k/train.jsonl --n 3000 [--show]

A row with `steps` and `label` (index of the first wrong step, -1: none) is from ProcessBench:
steps up to the labelled one count, what follows an error has no label. A row with `solution` is
a person's solution, where every refutation is suspect.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import sympy_check
from bench.json_lines import JsonRow, read_json_lines
from reasoner.types.verdict import Outcome, Verdict


def judge_steps(row: JsonRow) -> list[tuple[Verdict, bool]]:
    """Return the verdict on each labelled step, and whether the label calls the step wrong."""
    steps, label = row["steps"], row["label"]
    labelled_steps = steps if label < 0 else steps[: label + 1]
    return [
        (sympy_check.check_step(step, 5.0), number == label)
        for number, step in enumerate(labelled_steps)
    ]


def print_step_report(rows: list[JsonRow], show: bool) -> None:
    """Print how many labelled steps are refuted and confirmed, and with `show` the refutations."""
    verdicts = [pair for row in rows for pair in judge_steps(row)]
    refuted = [wrong for verdict, wrong in verdicts if verdict.outcome is Outcome.FAIL]
    passed = [wrong for verdict, wrong in verdicts if verdict.outcome is Outcome.PASS]
    wrong_steps = sum(wrong for _, wrong in verdicts)
    print(
        f"{len(verdicts)} steps, {wrong_steps} wrong: {len(refuted)} refuted, "
        f"{sum(refuted)} of them rightly "
        f"(precision {sum(refuted) / max(1, len(refuted)):.1%}, recall "
        f"{sum(refuted) / max(1, wrong_steps):.1%}); {len(passed)} confirmed, {sum(passed)} "
        "of them wrong"
    )
    for verdict, wrong in verdicts if show else ():
        if verdict.outcome is Outcome.FAIL:
            print(f"  {'right' if wrong else 'FALSE'}: {verdict.reason}")


def print_solution_report(rows: list[JsonRow], show: bool) -> None:
    """Print how many human solutions are refuted and confirmed, and with `show` the refutations."""
    durations, verdicts = [], []
    for row in rows:
        start_time = time.perf_counter()
        verdicts.append(sympy_check.check_step(row["solution"], 5.0))
        durations.append(time.perf_counter() - start_time)
    refuted = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL]
    confirmed = sum(verdict.outcome is Outcome.PASS for verdict in verdicts)
    print(
        f"{len(rows)} solutions by people: {len(refuted)} refuted, {confirmed} confirmed; "
        f"median {median(durations) * 1000:.2f} ms, slowest {max(durations) * 1000:.0f} ms"
    )
    for verdict in refuted if show else ():
        print(f"  {verdict.reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--show", action="store_true", help="list the refutations")
    options = parser.parse_args()
    rows = read_json_lines(options.data, options.n)
    report = print_solution_report if "solution" in rows[0] else print_step_report
    report(rows, options.show)
    sympy_check.close()


if __name__ == "__main__":
    main()
