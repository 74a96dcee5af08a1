"""Fuzzed answers that carry code, against the mathematics: is anything executed?

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


def unconfined(count: int, seed: int, seconds: float, execute: bool) -> None:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        found = fuzz(count, seed, Path(directory), seconds, execute)
    print(
        f"{'executed by sympy (control)' if execute else 'unconfined'}: {found.read} strings read, "
        f"{len(found.late)} given up after {seconds:g} s, canary file "
        f"{'untouched' if found.file_untouched else 'TOUCHED'}, canary variable "
        f"{'untouched' if found.variable_untouched else 'TOUCHED'}, "
        f"{len(found.strangers)} new files; {time.perf_counter() - begun:.0f} s"
    )


def confined(count: int, seed: int, seconds: float) -> None:
    begun = time.perf_counter()
    slowest, outcomes = 0.0, dict.fromkeys(("pass", "fail", "unknown"), 0)
    for number, text in enumerate(strings(count, seed)):
        started = time.perf_counter()
        outcome, _ = sympy_check.compare(ANSWERS[number % len(ANSWERS)], text, seconds)
        slowest = max(slowest, time.perf_counter() - started)
        outcomes[str(outcome)] += 1
    sympy_check.close()
    print(
        f"confined worker: {count} comparisons, {outcomes}, slowest {slowest:.2f} s; "
        f"{time.perf_counter() - begun:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    unconfined(options.n, options.seed, options.seconds, execute=False)
    confined(options.n, options.seed, options.seconds)
    unconfined(0, 0, options.seconds, execute=True)


if __name__ == "__main__":
    main()
