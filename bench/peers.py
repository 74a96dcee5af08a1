"""Accuracy and seconds against other ways to spend compute on the same model and problems.

    python -m bench.peers DATA.jsonl [--model NAME] [--n 100] [--set effort=high]
                          [--also effort=low ...] [--samples 8]
                          [--majority http://127.0.0.1:8080/v1]
                          [--endpoint http://127.0.0.1:8000/v1 --endpoint-model NAME]
                          [--at-once 1] [--out TRIALS.jsonl]

The contenders: `reasoner` with the given settings, and with some of them changed for each `--also`;
a loop of `llama_cpp.Llama` calls, on the same file and with as many threads (by itself it takes
half the cores), that takes the majority, or, with `--majority`, the same samples of a server of
that file, drawn side by side (neither of them with `--samples 0`); and, with `--endpoint`, any
OpenAI-compatible server, for instance optillm in front of llama.cpp's `llama-server`. All are asked
with the same words, and judged by the same check.

By itself each answers one problem at a time, and they take turns problem by problem. With
`--at-once` one after another answers all problems, so many at once. Ours share a KV cache: what
one has read of a question may spare the next some of its prompt.

With `--out` every answer is appended to TRIALS as it is there, and a run that is started again goes
on from it; what was under way when it ended is asked again, and the time of that is not counted.
Ctrl-C reports what there is by then.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import httpx2

from bench.accuracy import load_items
from bench.contender_results import ContenderResult, collect_results, load_results, print_comparison
from bench.reply_sources import (
    SAMPLE_TEMPERATURE,
    CompletionError,
    ReplySource,
    llama_cpp_source,
    server_source,
)
from reasoner import Problem, Settings
from reasoner.answers.extraction import extract_final_answer
from reasoner.batch.item import BatchItem
from reasoner.cli.options.pairs import parse_pairs
from reasoner.concurrency.bounded_map import bounded_map
from reasoner.engine.local.threads import default_threads
from reasoner.errors import UsageError
from reasoner.models.fetch import ensure_model
from reasoner.plugin_host.host import PluginHost
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.solver.local import LocalSolver
from reasoner.types.candidate import Candidate
from reasoner.types.trajectory import FinishReason, Phase
from reasoner.types.trajectory import Trajectory as Thought

REQUEST_TIMEOUT_SECONDS = 3600.0
"""Seconds a server may take; when it is asked much at once, a question waits for many others."""
FIXED_SETTINGS = {
    "model",
    "protocol",
    "value",
    "value_format",
    "value_head",
    "unsafe_exec",
    "engine",
}
"""Settings that a solver is opened with, so that ours cannot differ in them."""
AnswerCheck = Callable[[Problem], Awaitable[bool]]
"""Whether a contender's answer to a problem is right."""
AnswerKey = tuple[str, str]
"""A problem's id and a contender's name."""


class Contender(NamedTuple):
    name: str
    is_answered_right: AnswerCheck
    at_once: int


async def majority_answer(replies: Sequence[str], verifiers: PluginHost) -> str | None:
    """The final answer that most replies give."""
    ended = Thought(prompt=(), phase=Phase.DONE, answer="-", finish_reason=FinishReason.STOP)
    attempts = [
        Candidate(number=number, trajectory=ended, final_answer=extract_final_answer(reply))
        for number, reply in enumerate(replies)
    ]

    async def same(left: str, right: str) -> bool:
        return bool(await verifiers.same_answer(left, right, 5.0))

    groups = await group_by_answer(attempts, same)
    return max(groups, key=lambda group: len(group.candidates)).answer if groups else None


def setting_variants(options: argparse.Namespace) -> list[list[str]]:
    """The settings of each of our contenders, as KEY=VALUE."""
    changed = [[*options.set, *pairs] for pairs in ([], *options.also)]
    return [list({pair.partition("=")[0]: pair for pair in pairs}.values()) for pairs in changed]


def contender_names(options: argparse.Namespace) -> list[str]:
    """Of the contenders, ours first; a kept file with others is another comparison's."""
    model = [f"model={options.model}"] if options.model else []
    peer = [options.endpoint_model] if options.endpoint else []
    sampled = "server" if options.majority else "llama_cpp.Llama"
    many = [f"({options.at_once} at once)"] if options.at_once > 1 else []
    ours = [" ".join(["reasoner", *model, *pairs, *many]) for pairs in setting_variants(options)]
    voting = [f"{sampled}, majority of {options.samples}"] if options.samples else []
    return [*ours, *voting, *peer]


@asynccontextmanager
async def open_contenders(
    options: argparse.Namespace, chosen: Sequence[Settings]
) -> AsyncIterator[list[Contender]]:
    """All of them, loaded; ours are one solver, asked with one or another of the settings."""
    settings = chosen[0]
    many, bearer = max(options.at_once, 1), {"Authorization": "Bearer none"}
    async with (
        LocalSolver(settings) as solver,
        httpx2.AsyncClient(
            timeout=REQUEST_TIMEOUT_SECONDS,
            limits=httpx2.Limits(max_connections=None),
            headers=bearer,
        ) as client,
    ):
        with PluginHost() as verifiers:
            peers = []
            if options.majority:
                wishes = [
                    {"temperature": SAMPLE_TEMPERATURE, "seed": seed}
                    for seed in range(options.samples)
                ]
                peers.append((server_source(client, options.majority, "default", wishes), many))
            elif options.samples:
                threads = settings.engine.threads or default_threads()
                loop = llama_cpp_source(ensure_model(settings.model).path, options.samples, threads)
                peers.append((loop, 1))
            if options.endpoint:
                peers.append(
                    (server_source(client, options.endpoint, options.endpoint_model), many)
                )
            asks = [(_ours(solver, one), many) for one in chosen]
            asks += [(_theirs(replies, verifiers), at_once) for replies, at_once in peers]
            named = zip(contender_names(options), asks, strict=True)
            yield [Contender(name, ask, at_once) for name, (ask, at_once) in named]


def _ours(solver: LocalSolver, settings: Settings) -> AnswerCheck:
    async def ask(problem: Problem) -> bool:
        return (await solver.solve(problem, settings=settings)).status == "verified"

    return ask


def _theirs(replies: ReplySource, verifiers: PluginHost) -> AnswerCheck:
    async def ask(problem: Problem) -> bool:
        final = await majority_answer(await replies(problem.question), verifiers)
        expect = problem.expect or ""
        known = final is not None and await verifiers.same_answer(final, expect, 5.0)
        return final == expect or bool(known)

    return ask


async def compare_contenders(
    options: argparse.Namespace,
    chosen: Sequence[Settings],
    items: Sequence[BatchItem],
    done: Collection[AnswerKey],
) -> AsyncIterator[ContenderResult]:
    """Ask all contenders what they have not answered yet."""
    turn = max(len(items), 1) if options.at_once > 1 else 1
    async with open_contenders(options, chosen) as asked:
        for start in range(0, len(items), turn):
            for one in asked:
                left = [
                    item for item in items[start : start + turn] if (item.id, one.name) not in done
                ]
                async for trial in contender_results(one, left):
                    yield trial


async def contender_results(
    contender: Contender, items: Sequence[BatchItem]
) -> AsyncIterator[ContenderResult]:
    """What the contender makes of the problems, as it is done with them."""

    async def answer(item: BatchItem) -> tuple[str, bool]:
        assert item.problem is not None
        return item.id, await contender.is_answered_right(item.problem)

    before = monotonic()
    async with aclosing(bounded_map(items, answer, contender.at_once, in_order=False)) as answered:
        async for id, right in answered:
            now = monotonic()
            yield ContenderResult(id=id, by=contender.name, right=right, seconds=now - before)
            before = now


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", help="as with -m: an alias or a file")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=8, help="of the majority; 0: without it")
    parser.add_argument("--majority", metavar="URL", help="samples of a server, not of llama_cpp")
    parser.add_argument("--endpoint", metavar="URL")
    parser.add_argument("--endpoint-model", metavar="NAME", default="default")
    parser.add_argument("--at-once", type=int, default=1, help="problems, where one can (1)")
    parser.add_argument("--out", type=Path, help="append every answer's trial as a JSON line")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--also",
        action="append",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="a contender of ours that differs in these",
    )
    options = parser.parse_args()
    if options.samples < (1 if options.majority else 0):
        parser.error("--samples has to be 0 or more, and 1 or more with --majority")
    return options


def load_settings(options: argparse.Namespace) -> list[Settings]:
    """The settings of each of our contenders. Raises UsageError."""
    given = {"seed": options.seed, "model": options.model}
    for pairs in options.also:
        if fixed := FIXED_SETTINGS & parse_pairs(pairs, "--also", "effort=low").keys():
            raise UsageError(f"--also cannot change {', '.join(sorted(fixed))}: use another run")
    if len(set(contender_names(options))) < len(contender_names(options)):
        raise UsageError(f"two contenders have one name: {', '.join(contender_names(options))}")
    return [
        Settings.load(**{**given, **parse_pairs(pairs, "--set", "effort=high")})
        for pairs in setting_variants(options)
    ]


def main() -> None:
    options = parse_options()
    try:
        chosen = load_settings(options)
    except UsageError as error:
        raise SystemExit(str(error)) from error
    items = [item for item in load_items(options.data, options.n, options.seed) if item.problem]
    trials = load_results(options.out, {item.id for item in items}, contender_names(options))
    done = {(trial.id, trial.by) for trial in trials}
    failed = False
    try:
        with options.out.open("a") if options.out else nullcontext() as out:
            asyncio.run(
                collect_results(compare_contenders(options, chosen, items, done), trials, out)
            )
    except CompletionError as error:
        failed = True
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    print_comparison(trials, contender_names(options), options.seed)
    sys.exit(failed)


if __name__ == "__main__":
    main()
