"""The cost of waiting at llama.cpp's barriers, on an idle machine and beside a busy process.

    python -m bench.threads MODEL.gguf [--spins 0,1000,10000,default]

Each setting runs in a process of its own, because OpenMP reads it once: a number is
GOMP_SPINCOUNT, `default` leaves it to the library, `ours` is what reasoner sets. Busy means one
process that spins on one core. The figures are tokens per second of 1 and of 8 sequences,
the median of the repeats, whose settings run in turns.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

BUSY_LOOP = "while True: pass"


def measure_speeds(model: Path, setting: str, busy: bool) -> list[float]:
    """Return the speeds at 1 and at 8 sequences in a new process."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT",)}
    if setting.isdigit():
        environment["GOMP_SPINCOUNT"] = setting
    elif setting == "default":
        environment["REASONER_BENCH_NO_POLICY"] = "1"
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY_LOOP]) if busy else None
    try:
        command = [sys.executable, "-m", "bench.threads", str(model), "--child"]
        process = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        return [float(word) for word in process.stdout.split()]
    finally:
        if neighbour is not None:
            neighbour.kill()
            neighbour.wait()


async def print_speeds(model: Path) -> None:
    """Print the speeds at 1 and at 8 sequences in this process."""
    if "REASONER_BENCH_NO_POLICY" in os.environ:
        import llama_cpp  # noqa: F401  loaded before the engine can choose a policy
    from bench.engine import PROMPT_TOKENS, reasoner_speed
    from reasoner.engine.local.engine import LocalEngine

    engine = await LocalEngine.open(model)
    prompt = [1000 + n for n in range(PROMPT_TOKENS)]
    await reasoner_speed(engine, prompt, 1)
    print(await reasoner_speed(engine, prompt, 1), await reasoner_speed(engine, prompt, 8))
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--spins", default="0,1000,10000,default,ours")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", action="store_true")
    options = parser.parse_args()
    if options.child:
        asyncio.run(print_speeds(options.model))
        return
    settings = options.spins.split(",")
    runs: dict[tuple[str, bool], list[list[float]]] = {}
    for _ in range(options.repeat):
        for busy in (False, True):
            for setting in settings:
                speeds = measure_speeds(options.model, setting, busy)
                runs.setdefault((setting, busy), []).append(speeds)
                print(setting, "busy" if busy else "idle", speeds, file=sys.stderr, flush=True)
    print("| spin count | idle, 1 | idle, 8 | busy, 1 | busy, 8 |\n|---|---|---|---|---|")
    for setting in settings:
        cells = [
            f"{median(run[i] for run in runs[setting, busy]):.1f}"
            for busy in (False, True)
            for i in (0, 1)
        ]
        print(f"| {setting} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
