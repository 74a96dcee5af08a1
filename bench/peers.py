"""Accuracy and seconds against other ways to spend compute on the same model and problems.

    python -m bench.peers DATA.jsonl [--model NAME] [--n 100] [--set effort=high] [--samples 8]
                          [--endpoint http://127.0.0.1:8000/v1 --endpoint-model NAME]
                          [--out ROWS.jsonl]

The contenders answer the same problems one after another, in turns: `reasoner` with the given
settings; a loop of `llama_cpp.Llama` calls, on the same file, that takes the majority; and, with
`--endpoint`, any OpenAI-compatible server, for instance optillm in front of llama.cpp's
`llama-server`. All are asked with the same words, and judged by the same check.

With `--out` every problem is appended to ROWS as it is done, and a run that is started again goes
on from there. Ctrl-C reports what there is by then.
"""

import argparse
import asyncio
import json
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, NamedTuple, TextIO

from pydantic import BaseModel

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


class Trial(NamedTuple):
    """What a contender made of a problem."""

    right: bool
    seconds: float


class Row(BaseModel):
    """What all contenders, by name, made of a problem."""

    id: str
    trials: dict[str, Trial]


def summary(name: str, trials: Sequence[Trial]) -> str:
    right, count = sum(trial.right for trial in trials), len(trials)
    low, high = wilson(right, count)
    seconds = [trial.seconds for trial in trials]
    return (
        f"| {name} | {right} of {count} | {right / count:.1%} [{low:.1%}, {high:.1%}] "
        f"| {median(seconds):.1f} | {sum(seconds):.0f} |"
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


async def compare(
    options: argparse.Namespace, settings: Settings, done: Collection[str]
) -> AsyncIterator[Row]:
    """Ask all contenders the problems that are not done yet."""
    model = ensure_model(settings.model).path
    others: dict[str, Reply] = {
        f"llama_cpp.Llama, majority of {options.samples}": naive(model, options.samples)
    }
    if options.endpoint:
        others[options.endpoint_model] = endpoint(options.endpoint, options.endpoint_model)
    async with Solver(settings) as solver:
        with Verifiers() as verifiers:
            for item in load(options.data, options.n, options.seed):
                if item.problem is None or item.id in done:
                    continue
                trials = {"reasoner": await _ours(solver, item.problem)}
                for name, reply in others.items():
                    trials[name] = await _theirs(reply, item.problem, verifiers)
                yield Row(id=item.id, trials=trials)


async def _ours(solver: Solver, problem: Problem) -> Trial:
    begun = monotonic()
    result = await solver.solve(problem)
    return Trial(result.status == "verified", monotonic() - begun)


async def _theirs(reply: Reply, problem: Problem, verifiers: Verifiers) -> Trial:
    begun = monotonic()
    replies = await asyncio.to_thread(reply, problem.question)
    final = await majority(replies, verifiers)
    seconds, expect = monotonic() - begun, problem.expect or ""
    known = final is not None and await verifiers.same_answer(final, expect, 5.0)
    return Trial(final == expect or bool(known), seconds)


async def keep(rows: AsyncIterator[Row], kept: list[Row], out: TextIO | None) -> None:
    """Take rows as they come, and write each down."""
    async for row in rows:
        kept.append(row)
        print(".", end="", file=sys.stderr, flush=True)
        if out:
            out.write(f"{row.model_dump_json()}\n")
            out.flush()


def kept_rows(path: Path | None) -> list[Row]:
    """What the file holds; a run that was ended while it wrote may have left a part of a line."""
    if path is None or not path.exists():
        return []
    whole, _, rest = path.read_text("utf-8").rpartition("\n")
    if rest:
        path.write_text(whole + "\n" if whole else "", "utf-8")
    return [Row.model_validate_json(line) for line in whole.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", help="as with -m: an alias or a file")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--endpoint", metavar="URL")
    parser.add_argument("--endpoint-model", metavar="NAME", default="default")
    parser.add_argument("--out", type=Path, help="append every problem's results as a JSON line")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    chosen = parse_pairs(options.set, "--set", "effort=high")
    settings = Settings.load(**{"seed": options.seed, "model": options.model, **chosen})
    rows = kept_rows(options.out)
    asked = compare(options, settings, {row.id for row in rows})
    with (
        options.out.open("a") if options.out else nullcontext() as out,
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(keep(asked, rows, out))
    if not rows:
        raise SystemExit("no problem was answered by all")
    print(
        f"\n\n| {len(rows)} problems, seed {options.seed} | right | accuracy | s each | s in all |"
    )
    print("|---|---|---|---|---|")
    for name in rows[0].trials:
        print(summary(name, [row.trials[name] for row in rows]))


if __name__ == "__main__":
    main()
