"""Decode speed against llama.cpp's own `llama-batched-bench`, and against one call after another.

    python -m bench.engine MODEL.gguf --batched-bench PATH [--repeat 3]

N sequences share a 128-token prompt and write 64 tokens each, sampled at temperature 0.8 here and
not sampled at all there. The sides take turns; the figures are tokens per second of all sequences
together, the median of the repeats, and the ratio is the median of the pairs' ratios.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from reasoner.engine.constraints import Ban
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.local.threads import default_threads
from reasoner.engine.sampling import Sampling
from reasoner.settings import EngineSettings

PROMPT, WRITE, COUNTS = 128, 64, (1, 4, 8, 16, 32)


class NeverEnd:
    """Every sequence writes its 64 tokens."""

    def __init__(self, ends: tuple[int, ...]) -> None:
        self._ban = Ban(ends)

    def constrain(self) -> Ban:
        return self._ban

    def accept(self, token: int) -> None: ...


async def ours(engine: LocalEngine, prompt: Sequence[int], count: int) -> float:
    """Tokens per second of `count` sequences, the prompt being read already."""
    begun = time.perf_counter()
    await asyncio.gather(*(_write(engine, prompt, seed) for seed in range(count)))
    return count * WRITE / (time.perf_counter() - begun)


async def _write(engine: LocalEngine, prompt: Sequence[int], seed: int) -> None:
    steer = NeverEnd(engine.end_tokens)
    async for _token in engine.generate(prompt, Sampling(), steer, WRITE, seed):
        pass


def theirs(program: Path, model: Path, threads: int, count: int) -> float:
    """What `llama-batched-bench` reaches at the same setting."""
    command = [
        *(str(program), "-m", str(model), "-c", "8192", "-b", "512", "-ub", "512"),
        *("-npp", str(PROMPT), "-ntg", str(WRITE), "-npl", str(count), "-pps", "-kvu"),
        *("-t", str(threads), "-tb", str(threads), "--output-format", "jsonl"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    return float(json.loads(row)["speed_tg"])


def one_by_one(model: Path, threads: int) -> float:
    """`llama_cpp.Llama`, which can only write one sequence after another."""
    from llama_cpp import Llama

    llama = Llama(str(model), n_ctx=512, n_threads=threads, verbose=False)
    prompt = [1000 + n for n in range(PROMPT)]
    stream = llama.generate(prompt, temp=0.8)
    next(stream)
    begun = time.perf_counter()
    for _ in range(WRITE):
        next(stream)
    speed = WRITE / (time.perf_counter() - begun)
    llama.close()
    return speed


def in_a_process_of_its_own() -> float:
    """`one_by_one` elsewhere: OpenMP stops spinning in a process with more threads than cores."""
    command = [sys.executable, "-m", "bench.engine", *sys.argv[1:], "--alone"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--batched-bench", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)))
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    if options.alone:
        print(one_by_one(options.model, options.threads))
        return
    alone = median(in_a_process_of_its_own() for _ in range(options.repeat))
    print(f"llama_cpp.Llama, one after another: {alone:.1f} tokens/s\n")
    print("| sequences | reasoner | llama-batched-bench | ratio | times one after another |")
    print("|---|---|---|---|---|", flush=True)
    asyncio.run(compare(options, counts, alone))


async def compare(options: argparse.Namespace, counts: Sequence[int], alone: float) -> None:
    """One row for each count; the two sides take turns, so that both meet the same machine."""
    settings = EngineSettings(context=8192, threads=options.threads)
    engine = await LocalEngine.open(options.model, settings)
    prompt = [1000 + n for n in range(PROMPT)]
    await ours(engine, prompt, 1)
    for count in counts:
        pairs = []
        for _ in range(options.repeat):
            native = theirs(options.batched_bench, options.model, options.threads, count)
            await ours(engine, prompt, 1)  # theirs has just read its prompt when its clock starts
            pairs.append((await ours(engine, prompt, count), native))
        mine, peer = (median(pair[i] for pair in pairs) for i in (0, 1))
        ratio = median(left / right for left, right in pairs)
        print(
            f"| {count} | {mine:.1f} | {peer:.1f} | {ratio:.2f} | {mine / alone:.1f} |", flush=True
        )
    await engine.close()


if __name__ == "__main__":
    main()
