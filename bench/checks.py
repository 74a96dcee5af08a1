"""The latency of checks, warm and cold, and the resources that a thousand of them leave behind.

    python -m bench.checks [--runs 100] [--many 1000]

Medians and 90th percentiles in milliseconds, on whatever machine this is: a Python program in
every sandbox layer that works here (started for it, and taken from the warm ones, with a pause
between two so that the next is ready), blocks of a session, and the equality of two answers. Then
`--many` programs back to back: processes, files, descriptors and memory before and after.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import python_sandbox
import sympy_check
from python_sandbox import folder, pool, probe
from python_sandbox.execution import MAX_MEMORY_BYTES, run_in_layer
from python_sandbox.layers import LAYERS, Layer
from python_sandbox.run import run_python
from python_sandbox.session import run_block

CODE = "print(1+1)"
EARLIER_BLOCKS = ("import math", "x = math.sqrt(2)", "def f(y):\n    return x + y")


def print_latency(name: str, check: Callable[[], object], runs: int, pause: float = 0.0) -> None:
    """Print median and 90th percentile of a check's milliseconds."""
    milliseconds = []
    for _ in range(runs):
        start_time = time.perf_counter()
        check()
        milliseconds.append(1000 * (time.perf_counter() - start_time))
        time.sleep(pause)
    percentile = quantiles(milliseconds, n=10)[-1]
    print(f"{name:<45} {median(milliseconds):8.1f} {percentile:8.1f}", flush=True)


def print_latencies(runs: int) -> None:
    """Print a row for each kind of check."""
    print(f"{'milliseconds':<45} {'median':>8} {'90 %':>8}")
    start_time = time.perf_counter()
    layer = probe.choose_layer().layer
    milliseconds = 1000 * (time.perf_counter() - start_time)
    print(f"{'choosing the layer, once':<45} {milliseconds:8.1f}")
    for candidate in LAYERS:
        if candidate.possible and probe.attack_layer(candidate) is None:
            print_latency(f"cold: {candidate.name}", partial(run_cold_program, candidate), runs)
    if layer is not None:
        block = partial(run_block, EARLIER_BLOCKS, "f(1)", 5)
        print_latency(f"warm: {layer.name}", run_warm_program, runs, pause=0.15)
        print_latency("warm, back to back", run_warm_program, runs)
        print_latency("warm: a block after three", block, runs, pause=0.15)
    sympy_check.compare("1", "1", 10)
    for gold, answer in ((r"\frac{1}{2}", "0.5"), (r"2\sqrt{2}", r"\sqrt{8}")):
        print_latency(
            f"equality of {gold} and {answer}", partial(require_equal, gold, answer), runs
        )


def run_cold_program(layer: Layer) -> None:
    """Run the program in a sandbox that is started for it."""
    run = run_in_layer(layer, CODE, stdin="", seconds=10, memory=MAX_MEMORY_BYTES)
    assert run.outcome == "ok"


def run_warm_program() -> None:
    """Run the program in a sandbox that is ready."""
    assert run_python(CODE).outcome == "ok"


def require_equal(gold: str, answer: str) -> None:
    """Compare two answers that are equal."""
    assert sympy_check.compare(gold, answer, 10)[0] == "pass"


def count_resources() -> dict[str, int]:
    """Return what this process holds now, after closing the warm sandboxes."""
    python_sandbox.close()
    process_id, temporary_folder = str(os.getpid()), folder.create_temporary_folder()
    folder.remove_folder(temporary_folder)
    parent_folder = os.path.dirname(temporary_folder)
    children = [
        stat
        for stat in Path("/proc").glob("[0-9]*/stat")
        if _read_or_empty(stat).rpartition(")")[2].split()[1:2] == [process_id]
    ]
    status_lines = _read_or_empty(Path("/proc/self/status")).splitlines()
    status = dict(line.split(":", 1) for line in status_lines)
    return {
        "processes": len(children),
        "files": sum(len(files) + len(folders) for _, folders, files in os.walk(parent_folder)),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "KiB resident": int(status["VmRSS"].split()[0]),
        "warm jails": len(pool.warm_process_ids()),
    }


def _read_or_empty(path: Path) -> str:
    """Return a file's text, or nothing for a process that has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def print_endurance(runs: int) -> None:
    """Run programs back to back, and print the resources held before and after."""
    for _ in range(20):
        run_warm_program()
    resources_before = count_resources()
    start_time = time.perf_counter()
    for _ in range(runs):
        run_warm_program()
    seconds = time.perf_counter() - start_time
    resources_after = count_resources()
    print(f"\n{runs} programs back to back in {seconds:.1f} s, {runs / seconds:.0f} a second")
    for name, count in resources_after.items():
        print(f"{name:<20} before {resources_before[name]:>8} after {count:>8}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--many", type=int, default=1000)
    options = parser.parse_args()
    print_latencies(options.runs)
    if options.many and probe.choose_layer().layer is not None:
        print_endurance(options.many)


if __name__ == "__main__":
    main()
