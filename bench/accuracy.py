"""Accuracy of a setting on a problem set, with its 95 % interval.

    python -m bench.accuracy DATA.jsonl [--n 100] [--seed 0] [--model NAME] [--set key=value …]

Each line of DATA has `question` and `answer`. The first N problems of a shuffle with the seed are
answered, several at once, each with its answer as `expect`; right means that the check against
it passed. The interval is Wilson's.
"""

import argparse
import asyncio
import json
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from reasoner import Problem, Result, Settings, Solver


def load(path: Path, count: int, seed: int) -> list[Problem]:
    """The chosen problems, in the order they are asked."""
    rows = [json.loads(line) for line in path.read_text().split("\n") if line.strip()]
    random.Random(seed).shuffle(rows)
    return [Problem(question=r["question"], expect=str(r["answer"])) for r in rows[:count]]


async def answer_all(problems: Sequence[Problem], settings: Settings, at_once: int) -> list[Result]:
    gate = asyncio.Semaphore(at_once)

    async with Solver(settings) as solver:

        async def one(problem: Problem) -> Result:
            async with gate:
                result = await solver.solve(problem)
                print(
                    "+" if result.status == "verified" else "-", end="", file=sys.stderr, flush=True
                )
                return result

        return await asyncio.gather(*(one(problem) for problem in problems))


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval for a proportion."""
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return centre - half, centre + half


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, help="write every result as a JSON line")
    options = parser.parse_args()
    chosen = {key: _value(value) for key, value in (s.split("=", 1) for s in options.set)}
    settings = Settings.load(model=options.model, seed=options.seed, **chosen)
    problems = load(options.data, options.n, options.seed)
    begun = monotonic()
    results = asyncio.run(answer_all(problems, settings, options.at_once))
    seconds = monotonic() - begun
    if options.out:
        options.out.write_text("".join(r.model_dump_json() + "\n" for r in results))
    report(results, settings, seconds)


def report(results: Sequence[Result], settings: Settings, seconds: float) -> None:
    count = len(results)
    right = sum(result.status == "verified" for result in results)
    undecided = sum(result.status == "answered" for result in results)
    low, high = wilson(right, count)
    tokens = sum(result.usage.completion_tokens for result in results)
    print(
        f"\n{settings.model}, {settings.strategy}, seed {settings.seed}: {right} of {count} right, "
        f"{right / count:.1%} [{low:.1%}, {high:.1%}]; {undecided} undecided, "
        f"{sum(r.status == 'no_answer' for r in results)} without an answer; "
        f"{tokens / count:.0f} tokens each, {tokens / seconds:.0f} tokens/s, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
