"""Accuracy of a setting on a problem set, with its 95 % interval.

    python -m bench.accuracy DATA.jsonl [--n 100] [--seed 0] [--model NAME] [--set key=value …]

Each line of DATA has `question` and `answer`. The first N problems of a shuffle with the seed are
answered, several at once, each with its answer as `expect`; right means that the check against
it passed. The interval is Wilson's. Ctrl-C reports the results so far; `--out` gets each result as
it comes. Without the shuffle, `reasoner batch --expect-field answer` reports the same.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from time import monotonic
from typing import TextIO

from reasoner import Settings
from reasoner.batch.item import BatchItem
from reasoner.batch.record import BatchRecord
from reasoner.batch.run import run_batch
from reasoner.batch.source import read_batch_items
from reasoner.batch.tally import BatchTotals
from reasoner.cli.options.pairs import parse_pairs
from reasoner.solver.local import LocalSolver


def load_items(path: Path, count: int, seed: int) -> list[BatchItem]:
    """Return the first `count` problems of a shuffle. Raises SystemExit without the file."""
    try:
        with path.open("rb") as stream:
            items = list(read_batch_items(stream.fileno(), "jsonl", "answer"))
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from error
    random.Random(seed).shuffle(items)
    return items[:count]


async def answer_all(
    items: Sequence[BatchItem], settings: Settings, at_once: int
) -> AsyncIterator[BatchRecord]:
    """Yield the record of each problem as it is answered, `at_once` at a time."""
    async with LocalSolver(settings) as solver:
        async for record in run_batch(items, solver.solve, at_once, in_order=False):
            right = record.result is not None and record.result.status == "verified"
            print("+" if right else "-", end="", file=sys.stderr, flush=True)
            yield record


async def collect_records(
    stream: AsyncIterator[BatchRecord], records: list[BatchRecord], out: TextIO | None
) -> None:
    """Append the records of the stream to a list and, as JSON lines, to a file."""
    async for record in stream:
        records.append(record)
        if out:
            out.write(f"{record.to_json()}\n")
            out.flush()


def main() -> None:
    """Measure a setting. Raises SystemExit when there is nothing to answer or no answer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, help="write every result as a JSON line")
    options = parser.parse_args()
    changes = parse_pairs(options.set, "--set", "strategy=majority")
    settings = Settings.load(model=options.model, seed=options.seed, **changes)
    items = load_items(options.data, options.n, options.seed)
    if not items:
        raise SystemExit(f"{options.data} has no line with a question and an answer")
    start_time = monotonic()
    records: list[BatchRecord] = []
    with (
        options.out.open("w") if options.out else nullcontext() as out,
        suppress(KeyboardInterrupt),
    ):
        stream = answer_all(items, settings, options.at_once)
        asyncio.run(collect_records(stream, records, out))
    if not records:
        raise SystemExit("no problem was answered")
    print_report(records, settings, monotonic() - start_time)


def print_report(records: Sequence[BatchRecord], settings: Settings, seconds: float) -> None:
    """Print the share of right answers, the tokens and the seconds."""
    totals = BatchTotals()
    for record in records:
        totals.add(record.to_row())
    print(
        f"\n{settings.model}, {settings.strategy}, seed {settings.seed}: {totals.summary}; "
        f"{totals.counts['answered']} undecided, {totals.counts['no_answer']} without an answer; "
        f"{totals.tokens / len(records):.0f} tokens each, {totals.tokens / seconds:.0f} tokens/s, "
        f"{seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
