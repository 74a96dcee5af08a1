"""The command as a whole process: start-up, time to the first token, peak memory.

    python -m bench.command MODEL.gguf --llama-cli PATH [--repeat 5]

`--help` is set against `python -c "import typer, rich"`; `ask` against llama.cpp's own `llama-cli`
with the same file, prompt, context and threads. Both write one token, so a whole run is the time
to the first token. Runs take turns; the figures are medians, peak memory is the kernel's ru_maxrss.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from reasoner.engine.local.threads import default_threads

QUESTION = "A train leaves at 9:40 and arrives at 12:15. How many minutes does it travel? " * 6
CONTEXT = "4096"


def run(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak MiB of a process that must succeed, whatever it prints."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise SystemExit(f"exit {process.returncode}: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def compare(name: str, ours: Sequence[str], theirs: Sequence[str], repeat: int) -> None:
    """Print both sides' medians and their ratios; the first round only warms the caches."""
    rounds = [(run(ours), run(theirs)) for _ in range(repeat + 1)][1:]
    mine = [median(r[0][i] for r in rounds) for i in (0, 1)]
    peer = [median(r[1][i] for r in rounds) for i in (0, 1)]
    print(
        f"| {name} | {mine[0]:.3f} s | {peer[0]:.3f} s | {mine[0] / peer[0]:.2f} "
        f"| {mine[1]:.0f} MiB | {peer[1]:.0f} MiB | {mine[1] / peer[1]:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--llama-cli", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    threads = str(default_threads())
    reasoner = [sys.executable, "-m", "reasoner"]
    print(
        "| run | reasoner | peer | ratio | reasoner | peer | ratio |\n|---|---|---|---|---|---|---|"
    )
    imports = [sys.executable, "-c", "import typer, rich"]
    compare("--help / import typer, rich", [*reasoner, "--help"], imports, options.repeat)
    ask = [
        *(*reasoner, "ask", QUESTION, "-m", str(options.model), "--max-tokens", "1", "--no-think"),
        *("--no-verify", "--context", CONTEXT, "--threads", threads, "--no-history"),
    ]
    cli = [
        *(str(options.llama_cli), "-m", str(options.model), "-p", QUESTION, "-n", "1"),
        *("-c", CONTEXT, "-t", threads, "--single-turn", "--temp", "0"),
    ]
    compare("ask / llama-cli", ask, cli, options.repeat)


if __name__ == "__main__":
    main()
