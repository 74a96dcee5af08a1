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
CONTEXT_TOKENS = "4096"


def run_process(command: Sequence[str]) -> tuple[float, float]:
    """Return seconds and peak MiB of a process. Raises SystemExit when it fails."""
    start_time = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start_time
    if process.returncode != 0:
        raise SystemExit(f"exit {process.returncode}: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def print_comparison(
    name: str, command: Sequence[str], peer_command: Sequence[str], repeat: int
) -> None:
    """Print the medians of two commands and their ratios. A first round, which warms the caches,
    is not counted."""
    rounds = [(run_process(command), run_process(peer_command)) for _ in range(repeat + 1)][1:]
    seconds, memory = (median(pair[0][i] for pair in rounds) for i in (0, 1))
    peer_seconds, peer_memory = (median(pair[1][i] for pair in rounds) for i in (0, 1))
    print(
        f"| {name} | {seconds:.3f} s | {peer_seconds:.3f} s | {seconds / peer_seconds:.2f} "
        f"| {memory:.0f} MiB | {peer_memory:.0f} MiB | {memory / peer_memory:.2f} |"
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
    print_comparison("--help / import typer, rich", [*reasoner, "--help"], imports, options.repeat)
    ask = [
        *(*reasoner, "ask", QUESTION, "-m", str(options.model), "--max-tokens", "1", "--no-think"),
        *("--no-verify", "--context", CONTEXT_TOKENS, "--threads", threads, "--no-history"),
    ]
    cli = [
        *(str(options.llama_cli), "-m", str(options.model), "-p", QUESTION, "-n", "1"),
        *("-c", CONTEXT_TOKENS, "-t", threads, "--single-turn", "--temp", "0"),
    ]
    print_comparison("ask / llama-cli", ask, cli, options.repeat)


if __name__ == "__main__":
    main()
