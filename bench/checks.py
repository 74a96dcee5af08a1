"""How long a check takes, warm and cold, and what a thousand of them leave behind.

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
EARLIER = ("import math", "x = math.sqrt(2)", "def f(y):\n    return x + y")


def timed(name: str, check: Callable[[], object], runs: int, pause: float = 0.0) -> None:
    """Print one row."""
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        check()
        took.append(1000 * (time.perf_counter() - begun))
        time.sleep(pause)
    print(f"{name:<45} {median(took):8.1f} {quantiles(took, n=10)[-1]:8.1f}", flush=True)


def latencies(runs: int) -> None:
    print(f"{'milliseconds':<45} {'median':>8} {'90 %':>8}")
    begun = time.perf_counter()
    layer = probe.choose_layer().layer
    print(f"{'choosing the layer, once':<45} {1000 * (time.perf_counter() - begun):8.1f}")
    for one in LAYERS:
        if one.possible and probe.attack_layer(one) is None:
            timed(f"cold: {one.name}", lambda one=one: cold(one), runs)  # type: ignore[misc]
    if layer is not None:
        timed(f"warm: {layer.name}", program, runs, pause=0.15)
        timed("warm, back to back", program, runs)
        timed("warm: a block after three", lambda: run_block(EARLIER, "f(1)", 5), runs, pause=0.15)
    sympy_check.compare("1", "1", 10)
    for gold, said in ((r"\frac{1}{2}", "0.5"), (r"2\sqrt{2}", r"\sqrt{8}")):
        timed(f"equality of {gold} and {said}", lambda g=gold, s=said: equal(g, s), runs)  # type: ignore[misc]


def cold(layer: Layer) -> None:
    assert run_in_layer(layer, CODE, stdin="", seconds=10, memory=MAX_MEMORY_BYTES).outcome == "ok"


def program() -> None:
    assert run_python(CODE).outcome == "ok"


def equal(gold: str, said: str) -> None:
    assert sympy_check.compare(gold, said, 10)[0] == "pass"


def standing() -> dict[str, int]:
    """What there is of this process now, with the warm jails closed."""
    python_sandbox.close()
    me, own = str(os.getpid()), folder.create_temporary_folder()
    folder.remove_folder(own)
    own = os.path.dirname(own)
    children = [
        stat
        for stat in Path("/proc").glob("[0-9]*/stat")
        if _read(stat).rpartition(")")[2].split()[1:2] == [me]
    ]
    status = dict(line.split(":", 1) for line in _read(Path("/proc/self/status")).splitlines())
    return {
        "processes": len(children),
        "files": sum(len(f) + len(d) for _, d, f in os.walk(own)),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "KiB resident": int(status["VmRSS"].split()[0]),
        "warm jails": len(pool.warm_process_ids()),
    }


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def endurance(many: int) -> None:
    for _ in range(20):
        program()
    before = standing()
    begun = time.perf_counter()
    for _ in range(many):
        program()
    took = time.perf_counter() - begun
    after = standing()
    print(f"\n{many} programs back to back in {took:.1f} s, {many / took:.0f} a second")
    for name, value in after.items():
        print(f"{name:<20} before {before[name]:>8} after {value:>8}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--many", type=int, default=1000)
    options = parser.parse_args()
    latencies(options.runs)
    if options.many and probe.choose_layer().layer is not None:
        endurance(options.many)


if __name__ == "__main__":
    main()
