"""Accuracy and seconds against other ways to spend compute on the same model and problems.

    python -m bench.peers DATA.jsonl [--model NAME] [--n 100] [--set effort=high] [--samples 8]
                          [--endpoint http://127.0.0.1:8000/v1 --endpoint-model NAME]
                          [--out ROWS.jsonl]

The contenders answer the same problems one after another, in turns: `reasoner` with the given
settings; a loop of `llama_cpp.Llama` calls, on the same file and with as many threads (by itself it
takes half the cores), that takes the majority; and, with `--endpoint`, any OpenAI-compatible
server, for instance optillm in front of llama.cpp's `llama-server`. All are asked with the same
words, and judged by the same check.

With `--out` every problem is appended to ROWS as it is done, and a run that is started again goes
on from there. Ctrl-C reports what there is by then.
"""

import argparse
import asyncio
import json
import math
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, NamedTuple, TextIO

from pydantic import BaseModel

from bench.accuracy import load
from reasoner import Problem, Settings, Solver
from reasoner.attempt import Attempt
from reasoner.batch.item import Item
from reasoner.batch.tally import wilson
from reasoner.cli.pairs import parse_pairs
from reasoner.engine.threads import default_threads
from reasoner.models import ensure_model
from reasoner.operators.aggregate import aggregate
from reasoner.path import FinishReason, Phase
from reasoner.path import Path as Thought
from reasoner.protocol.protocol import INSTRUCTION
from reasoner.verify.extract import extract_final
from reasoner.verify.host import Verifiers

LONGEST = 1024
BEGINNING = '{"id":'
"""What every row begins with."""
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


def report(rows: Sequence[Row], seed: int) -> None:
    """A line for each contender, the first of them being what the others are measured against."""
    ours, *others = rows[0].trials
    print(f"\n\n| {len(rows)} problems, seed {seed} | right | s each | s in all | against {ours} |")
    print("|---|---|---|---|---|")
    base = [row.trials[ours] for row in rows]
    print(f"| {ours} | {_summary(base)} | |")
    for name in others:
        trials = [row.trials[name] for row in rows]
        print(f"| {name} | {_summary(trials)} | {against(trials, base)} |")


def _summary(trials: Sequence[Trial]) -> str:
    right, count = sum(trial.right for trial in trials), len(trials)
    low, high = wilson(right, count)
    seconds = [trial.seconds for trial in trials]
    share = f"{right} ({right / count:.1%} [{low:.1%}, {high:.1%}])"
    return f"{share} | {median(seconds):.1f} | {sum(seconds):.0f}"


def against(trials: Sequence[Trial], base: Sequence[Trial]) -> str:
    """Problems won and lost, what this comes to in points (95 %, paired), and the time it took."""
    pairs = list(zip(trials, base, strict=True))
    won = sum(one.right > other.right for one, other in pairs)
    lost = sum(one.right < other.right for one, other in pairs)
    points = (won - lost) / len(pairs)
    half = 1.96 * math.sqrt(won + lost - (won - lost) ** 2 / len(pairs)) / len(pairs)
    low, high = (f"{100 * end:+.0f}" for end in (points - half, points + half))
    longer = sum(one.seconds for one in trials) / sum(one.seconds for one in base)
    said = f"{won} won, {lost} lost: {100 * points:+.0f} [{low}, {high}]"
    return f"{said}, {longer:.1f} times as long"


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": question}]


def naive(model: Path, samples: int, threads: int) -> Reply:
    """`llama_cpp.Llama`, asked several times."""
    from llama_cpp import Llama

    llama = Llama(str(model), n_ctx=4096, n_threads=threads, verbose=False)

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


def contenders(options: argparse.Namespace) -> list[str]:
    """Their names, ours first; a kept file with other names is another comparison's."""
    model = [f"model={options.model}"] if options.model else []
    peer = [options.endpoint_model] if options.endpoint else []
    loop = f"llama_cpp.Llama, majority of {options.samples}"
    return [" ".join(["reasoner", *model, *options.set]), loop, *peer]


async def compare(
    options: argparse.Namespace, settings: Settings, items: Iterable[Item]
) -> AsyncIterator[Row]:
    """Ask all contenders."""
    model = ensure_model(settings.model).path
    replies = [naive(model, options.samples, settings.engine.threads or default_threads())]
    if options.endpoint:
        replies.append(endpoint(options.endpoint, options.endpoint_model))
    ours, *others = contenders(options)
    async with Solver(settings) as solver:
        with Verifiers() as verifiers:
            for item in items:
                if item.problem is None:
                    continue
                trials = {ours: await _ours(solver, item.problem)}
                for name, reply in zip(others, replies, strict=True):
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


def kept_rows(path: Path | None, ids: Collection[str], names: Sequence[str]) -> list[Row]:
    """What the file holds; a run that was ended while it wrote may have left a part of a line.

    A file that holds anything else is refused, and stays as it is.
    """
    if path is None or not path.exists():
        return []
    try:
        whole, _, rest = path.read_text("utf-8").rpartition("\n")
        rows = [Row.model_validate_json(line) for line in whole.splitlines()]
        if not BEGINNING.startswith(rest[: len(BEGINNING)]):
            raise ValueError("its end is no part of a row")
        if any(row.id not in ids or list(row.trials) != names for row in rows):
            raise ValueError("its rows are not of these problems and contenders")
    except ValueError as error:
        raise SystemExit(f"{path} keeps another comparison: give another file to --out") from error
    if rest:
        path.write_text(f"{whole}\n" if whole else "", "utf-8")
    return list({row.id: row for row in rows}.values())


def parsed() -> argparse.Namespace:
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
    return parser.parse_args()


def main() -> None:
    options = parsed()
    chosen = parse_pairs(options.set, "--set", "effort=high")
    settings = Settings.load(**{"seed": options.seed, "model": options.model, **chosen})
    items = load(options.data, options.n, options.seed)
    rows = kept_rows(options.out, {item.id for item in items}, contenders(options))
    done = {row.id for row in rows}
    asked = compare(options, settings, [item for item in items if item.id not in done])
    with (
        options.out.open("a") if options.out else nullcontext() as out,
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(keep(asked, rows, out))
    if not rows:
        raise SystemExit("no problem was answered by all")
    report(rows, options.seed)


if __name__ == "__main__":
    main()
