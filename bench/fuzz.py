"""Whether anything is executed when the mathematics plugins read fuzzed answers with code.

    python -m bench.fuzz [--n 10000] [--seed 0] [--seconds 5]

Each string goes through every reader of the mathematics and number-puzzle plugins, unconfined,
beside a canary file and a canary variable (`tests.plugins.fuzzing`); then through the confined
worker as an answer would. A control shows that the bare payloads do harm where text is executed.
"""

import argparse
import tempfile
import time
from pathlib import Path

import sympy_check
from tests.plugins.fuzzing import ANSWERS, fuzz, strings


def fuzz_unconfined(count: int, seed: int, seconds: float, execute: bool) -> None:
    """Read fuzzed strings in this process; with `execute`, as a control, let sympy execute them."""
    start_time = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        report = fuzz(count, seed, Path(directory), seconds, execute)
    print(
        f"{'executed by sympy (control)' if execute else 'unconfined'}: "
        f"{report.read} strings read, "
        f"{len(report.late)} given up after {seconds:g} s, canary file "
        f"{'untouched' if report.file_untouched else 'TOUCHED'}, canary variable "
        f"{'untouched' if report.variable_untouched else 'TOUCHED'}, "
        f"{len(report.strangers)} new files; {time.perf_counter() - start_time:.0f} s"
    )


def fuzz_confined(count: int, seed: int, seconds: float) -> None:
    """Compare fuzzed strings in the confined worker."""
    start_time = time.perf_counter()
    slowest, outcomes = 0.0, dict.fromkeys(("pass", "fail", "unknown"), 0)
    for number, text in enumerate(strings(count, seed)):
        comparison_start = time.perf_counter()
        outcome, _ = sympy_check.compare(ANSWERS[number % len(ANSWERS)], text, seconds)
        slowest = max(slowest, time.perf_counter() - comparison_start)
        outcomes[str(outcome)] += 1
    sympy_check.close()
    print(
        f"confined worker: {count} comparisons, {outcomes}, slowest {slowest:.2f} s; "
        f"{time.perf_counter() - start_time:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    fuzz_unconfined(options.n, options.seed, options.seconds, execute=False)
    fuzz_confined(options.n, options.seed, options.seconds)
    fuzz_unconfined(0, 0, options.seconds, execute=True)


if __name__ == "__main__":
    main()
