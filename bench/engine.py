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

PROMPT_TOKENS, REPLY_TOKENS, SEQUENCE_COUNTS = 128, 64, (1, 4, 8, 16, 32)


class EndTokenBan:
    """A controller that bans the end tokens, so that every sequence has its 64 tokens."""

    def __init__(self, ends: tuple[int, ...]) -> None:
        self._ban = Ban(ends)

    def constrain(self) -> Ban:
        return self._ban

    def accept(self, token: int) -> None: ...


async def reasoner_speed(engine: LocalEngine, prompt: Sequence[int], count: int) -> float:
    """Return the tokens per second of `count` sequences whose prompt is in the cache."""
    start_time = time.perf_counter()
    await asyncio.gather(*(_generate(engine, prompt, seed) for seed in range(count)))
    return count * REPLY_TOKENS / (time.perf_counter() - start_time)


async def _generate(engine: LocalEngine, prompt: Sequence[int], seed: int) -> None:
    controller = EndTokenBan(engine.end_tokens)
    async for _token in engine.generate(prompt, Sampling(), controller, REPLY_TOKENS, seed):
        pass


def batched_bench_speed(program: Path, model: Path, threads: int, count: int) -> float:
    """Return the tokens per second of `llama-batched-bench` with the same settings."""
    prompt_tokens, reply_tokens = str(PROMPT_TOKENS), str(REPLY_TOKENS)
    command = [
        *(str(program), "-m", str(model), "-c", "8192", "-b", "512", "-ub", "512"),
        *("-npp", prompt_tokens, "-ntg", reply_tokens, "-npl", str(count), "-pps", "-kvu"),
        *("-t", str(threads), "-tb", str(threads), "--output-format", "jsonl"),
    ]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    row = next(line for line in process.stdout.splitlines() if line.startswith("{"))
    return float(json.loads(row)["speed_tg"])


def single_sequence_speed(model: Path, threads: int) -> float:
    """Return the tokens per second of `llama_cpp.Llama`, which has one sequence at a time."""
    from llama_cpp import Llama

    llama = Llama(str(model), n_ctx=512, n_threads=threads, verbose=False)
    prompt = [1000 + n for n in range(PROMPT_TOKENS)]
    stream = llama.generate(prompt, temp=0.8)
    next(stream)
    start_time = time.perf_counter()
    for _ in range(REPLY_TOKENS):
        next(stream)
    speed = REPLY_TOKENS / (time.perf_counter() - start_time)
    llama.close()
    return speed


def single_sequence_speed_in_child() -> float:
    """Return `single_sequence_speed` of a child process: in a process with more threads than cores
    OpenMP does not spin."""
    command = [sys.executable, "-m", "bench.engine", *sys.argv[1:], "--alone"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--batched-bench", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--counts", default=",".join(map(str, SEQUENCE_COUNTS)))
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    if options.alone:
        print(single_sequence_speed(options.model, options.threads))
        return
    single_speed = median(single_sequence_speed_in_child() for _ in range(options.repeat))
    print(f"llama_cpp.Llama, one after another: {single_speed:.1f} tokens/s\n")
    print("| sequences | reasoner | llama-batched-bench | ratio | times one after another |")
    print("|---|---|---|---|---|", flush=True)
    asyncio.run(print_comparison(options, counts, single_speed))


async def print_comparison(
    options: argparse.Namespace, counts: Sequence[int], single_speed: float
) -> None:
    """Print a row for each number of sequences; the two sides take turns, so that the machine's
    changes affect both."""
    settings = EngineSettings(context=8192, threads=options.threads)
    engine = await LocalEngine.open(options.model, settings)
    prompt = [1000 + n for n in range(PROMPT_TOKENS)]
    await reasoner_speed(engine, prompt, 1)
    for count in counts:
        pairs = []
        for _ in range(options.repeat):
            peer_speed = batched_bench_speed(
                options.batched_bench, options.model, options.threads, count
            )
            await reasoner_speed(engine, prompt, 1)  # the peer, too, prefills first
            pairs.append((await reasoner_speed(engine, prompt, count), peer_speed))
        speed, peer_speed = (median(pair[i] for pair in pairs) for i in (0, 1))
        ratio = median(ours / theirs for ours, theirs in pairs)
        print(
            f"| {count} | {speed:.1f} | {peer_speed:.1f} | {ratio:.2f} "
            f"| {speed / single_speed:.1f} |",
            flush=True,
        )
    await engine.close()


if __name__ == "__main__":
    main()
