"""Accuracy and seconds against other ways to spend compute on the same model and problems.

    python -m bench.peers DATA.jsonl [--model NAME] [--n 100] [--set effort=high] [--samples 8]
                          [--endpoint http://127.0.0.1:8000/v1 --endpoint-model NAME]

The contenders answer the same problems one after another, in turns: `reasoner` with the given
settings; a loop of `llama_cpp.Llama` calls, on the same file, that takes the majority; and, with
`--endpoint`, any OpenAI-compatible server, for instance optillm in front of llama.cpp's
`llama-server`. All are asked with the same words, and judged by the same check.
"""

import argparse
import asyncio
import json
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from bench.accuracy import load
from reasoner import Problem, Settings, Solver
from reasoner.attempt import Attempt
from reasoner.batch.tally import wilson
from reasoner.cli.pairs import parse_pairs
from reasoner.models import ensure_model
from reasoner.operators.aggregate import aggregate
from reasoner.path import FinishReason, Phase
from reasoner.path import Path as Thought
from reasoner.protocol.protocol import INSTRUCTION
from reasoner.verify.extract import extract_final
from reasoner.verify.host import Verifiers

LONGEST = 1024
Reply = Callable[[str], list[str]]
"""A question's replies, one or several."""


@dataclass
class Score:
    """What a contender reached so far."""

    right: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        count = len(self.right)
        low, high = wilson(sum(self.right), count)
        return (
            f"| {name} | {sum(self.right)} of {count} | {sum(self.right) / count:.1%} "
            f"[{low:.1%}, {high:.1%}] | {median(self.seconds):.1f} | {sum(self.seconds):.0f} |"
        )


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": question}]


def naive(model: Path, samples: int) -> Reply:
    """`llama_cpp.Llama`, asked several times."""
    from llama_cpp import Llama

    llama = Llama(str(model), n_ctx=4096, verbose=False)

    def reply(question: str) -> list[str]:
        asked: Any = messages(question)
        return [
            llama.create_chat_completion(asked, temperature=0.8, max_tokens=LONGEST, seed=seed)[
                "choices"
            ][0]["message"]["content"]
            for seed in range(samples)
        ]

    return reply


def endpoint(url: str, model: str) -> Reply:
    """A server, asked once: what it does with its samples is its own affair."""

    def reply(question: str) -> list[str]:
        body = {"model": model, "messages": messages(question), "max_tokens": LONGEST}
        request = urllib.request.Request(
            f"{url.rstrip('/')}/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer none"},
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            return [json.load(answer)["choices"][0]["message"]["content"]]

    return reply


async def majority(replies: Sequence[str], verifiers: Verifiers) -> str | None:
    """The final answer that most replies give."""
    ended = Thought(prompt=(), phase=Phase.DONE, answer="-", finish_reason=FinishReason.STOP)
    attempts = [
        Attempt(number=number, path=ended, final=extract_final(reply))
        for number, reply in enumerate(replies)
    ]

    async def same(left: str, right: str) -> bool:
        return bool(await verifiers.same_answer(left, right, 5.0))

    groups = await aggregate(attempts, same)
    return max(groups, key=lambda group: len(group.attempts)).answer if groups else None


async def compare(options: argparse.Namespace, settings: Settings) -> dict[str, Score]:
    items = load(options.data, options.n, options.seed)
    problems = [item.problem for item in items if item.problem is not None]
    model = ensure_model(settings.model).path
    others: dict[str, Reply] = {
        f"llama_cpp.Llama, majority of {options.samples}": naive(model, options.samples)
    }
    if options.endpoint:
        others[options.endpoint_model] = endpoint(options.endpoint, options.endpoint_model)
    scores = {name: Score() for name in ("reasoner", *others)}
    async with Solver(settings) as solver:
        with Verifiers() as verifiers:
            for problem in problems:
                await _ours(solver, problem, scores["reasoner"])
                for name, reply in others.items():
                    await _theirs(reply, problem, scores[name], verifiers)
                print(".", end="", file=sys.stderr, flush=True)
    return scores


async def _ours(solver: Solver, problem: Problem, score: Score) -> None:
    begun = monotonic()
    result = await solver.solve(problem)
    score.seconds.append(monotonic() - begun)
    score.right.append(result.status == "verified")


async def _theirs(reply: Reply, problem: Problem, score: Score, verifiers: Verifiers) -> None:
    begun = monotonic()
    replies = await asyncio.to_thread(reply, problem.question)
    final = await majority(replies, verifiers)
    score.seconds.append(monotonic() - begun)
    expect = problem.expect or ""
    known = final is not None and await verifiers.same_answer(final, expect, 5.0)
    score.right.append(final == expect or bool(known))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", help="as with -m: an alias or a file")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--endpoint", metavar="URL")
    parser.add_argument("--endpoint-model", metavar="NAME", default="default")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    chosen = parse_pairs(options.set, "--set", "effort=high")
    settings = Settings.load(**{"seed": options.seed, "model": options.model, **chosen})
    scores = asyncio.run(compare(options, settings))
    print(
        f"\n\n| {options.n} problems, seed {options.seed} | right | accuracy | s each | s in all |"
    )
    print("|---|---|---|---|---|")
    for name, score in scores.items():
        print(score.row(name))


if __name__ == "__main__":
    main()
