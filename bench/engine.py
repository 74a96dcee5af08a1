"""Decode speed against llama.cpp's own `llama-batched-bench`, and against one call after another.

    python -m bench.engine MODEL.gguf --batched-bench PATH [--repeat 3]

N sequences share a 128-token prompt and write 64 tokens each, sampled at temperature 0.8 here and
not sampled at all there. Both sides run in turns in one go; the figures are tokens per second of
all sequences together, the median of the repeats.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from reasoner.engine.control import Ban
from reasoner.engine.local import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.engine.threads import default_threads
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


async def all_ours(model: Path, threads: int) -> dict[int, float]:
    engine = await LocalEngine.open(model, EngineSettings(context=8192, threads=threads))
    prompt = [1000 + n for n in range(PROMPT)]
    await ours(engine, prompt, 1)
    speeds = {count: await ours(engine, prompt, count) for count in COUNTS}
    await engine.close()
    return speeds


def theirs(program: Path, model: Path, threads: int) -> dict[int, float]:
    """What `llama-batched-bench` reaches at the same setting."""
    command = [
        *(str(program), "-m", str(model), "-c", "8192", "-b", "512", "-ub", "512"),
        *("-npp", str(PROMPT), "-ntg", str(WRITE), "-npl", ",".join(map(str, COUNTS))),
        *("-pps", "-kvu", "-t", str(threads), "-tb", str(threads), "--output-format", "jsonl"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {row["pl"]: row["speed_tg"] for row in rows}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--batched-bench", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=default_threads())
    options = parser.parse_args()
    mine, native, single = [], [], []
    for _ in range(options.repeat):
        native.append(theirs(options.batched_bench, options.model, options.threads))
        mine.append(asyncio.run(all_ours(options.model, options.threads)))
        single.append(one_by_one(options.model, options.threads))
    alone = median(single)
    print(f"llama_cpp.Llama, one after another: {alone:.1f} tokens/s")
    print("| sequences | reasoner | llama-batched-bench | ratio | times one after another |")
    print("|---|---|---|---|---|")
    for count in COUNTS:
        left, right = median(m[count] for m in mine), median(n[count] for n in native)
        print(f"| {count} | {left:.1f} | {right:.1f} | {left / right:.2f} | {left / alone:.1f} |")


if __name__ == "__main__":
    main()
