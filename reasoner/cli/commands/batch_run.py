"""The work of `reasoner batch`: answer the items that are not done yet, and write their records."""

import asyncio
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from itertools import chain, islice
from pathlib import Path
from time import monotonic

import typer

from reasoner.api import open_solver
from reasoner.batch.item import BatchItem
from reasoner.batch.ledger import BatchOutput
from reasoner.batch.record import BatchRecord
from reasoner.batch.run import run_batch as run_batch
from reasoner.batch.source import BatchFormat, read_batch_items
from reasoner.batch.tally import BatchTotals
from reasoner.cli.interrupt import Interrupt
from reasoner.cli.options.batch import BatchOptions
from reasoner.cli.options.concurrency import parse_concurrency
from reasoner.cli.options.run import RunOptions
from reasoner.cli.output.json_text import escape_json
from reasoner.cli.output.progress import BatchProgress, batch_summary, draw_progress
from reasoner.cli.output.terminal import is_terminal, print_error
from reasoner.errors import Interrupted, UsageError
from reasoner.models.progress import DownloadObserver
from reasoner.settings import Settings
from reasoner.types.events import Event
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["answer_items"]

MAX_SHOWN_ERRORS = 10
"""Errors shown on stderr; all of them are in the output."""
SUFFIX_FORMS: dict[str, BatchFormat] = {".csv": "csv", ".tsv": "tsv"}


def answer_items(batch: BatchOptions, run: RunOptions) -> None:
    """Answer the items of the input and leave with the exit code of the tally.

    Raises UsageError for a wrong request or an input without items, Interrupted after Ctrl-C, and
    typer.Exit with the code of the whole run.
    """
    settings = Settings.load(**run.flags())
    with ExitStack() as stack:
        descriptor = _open_items(batch.file, stack)
        ledger = None if batch.out is None else stack.enter_context(BatchOutput(batch.out))
        if ledger is not None and ledger.is_same_file(descriptor):
            raise UsageError("--out is the input file; give another one")
        job = _BatchJob(descriptor, batch, settings, ledger)
        concurrency = parse_concurrency(batch.concurrency, settings)
        tally = asyncio.run(job.complete(concurrency, in_order=not batch.as_finished))
    raise typer.Exit(tally.exit_code)


def _open_items(file: Path, stack: ExitStack) -> int:
    """Return the descriptor of the input; `-` is stdin. Raises UsageError when there is none."""
    if str(file) != "-":
        try:
            return stack.enter_context(file.open("rb")).fileno()
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if sys.stdin is None or is_terminal(sys.stdin):
        raise UsageError("no items were given; try: reasoner batch questions.jsonl")
    return sys.stdin.fileno()


class _BatchJob:
    """One run of the command, from the input's descriptor to a ledger or to stdout."""

    def __init__(
        self, descriptor: int, batch: BatchOptions, settings: Settings, ledger: BatchOutput | None
    ) -> None:
        form = batch.form or SUFFIX_FORMS.get(batch.file.suffix.lower(), "jsonl")
        self._settings, self._ledger = settings, ledger
        self._scored = batch.expect_field is not None
        self._tally = ledger.tally if ledger else BatchTotals()
        self._done_before, self._start_seconds = self._tally.total, monotonic()
        self._meter = BatchProgress(sys.stderr, _file_size(descriptor), quiet=batch.quiet)
        notice = None if batch.quiet else print_error
        items = read_batch_items(descriptor, form, batch.expect_field, on_notice=notice)
        self._items = self._pending_items(items)

    async def complete(self, concurrency: int, *, in_order: bool) -> BatchTotals:
        """Answer what is not done yet and return the tally of all items.

        Raises Interrupted when Ctrl-C ended the run, UsageError when there is no item.
        """
        with Interrupt() as interrupt:
            if not self._done_before or self._has_pending_items():
                await self._answer_pending(interrupt, concurrency, in_order)
            self._meter.clear()
            self._show_summary()
        if interrupt.happened:
            hint = "; the same command goes on from there" if self._ledger else ""
            raise Interrupted(f"interrupted; {self._tally.total} items are done{hint}")
        if not self._tally.total:
            raise UsageError("there is no item in the input")
        return self._tally

    async def _answer_pending(self, interrupt: Interrupt, concurrency: int, in_order: bool) -> None:
        async with open_solver(self._settings, self._on_event, self._progress()) as solver:
            interrupt.soft()
            stop = interrupt.stop

            async def solve(problem: Problem) -> Result:
                result = await solver.solve(problem, stop=stop)
                if result.finish_reason == "interrupted" and not stop.is_set():
                    await solver.ping()  # the server stopped before the answer was complete
                return result

            stream = run_batch(self._items, solve, concurrency, in_order=in_order, stop=stop)
            async with aclosing(stream) as records:
                async for record in records:
                    self._write(record)

    def _pending_items(self, items: Iterator[BatchItem]) -> Iterator[BatchItem]:
        for item in items:
            if self._ledger is not None and item.key in self._ledger:
                self._meter.skip(item.size)
            else:
                yield item

    def _has_pending_items(self) -> bool:
        """Return whether an item is pending, so that the model has to be loaded."""
        first = list(islice(self._items, 1))
        self._items = chain(first, self._items)
        return bool(first)

    def _write(self, record: BatchRecord) -> None:
        self._tally.add(record.to_row())
        if record.error is not None and self._tally.counts["error"] <= MAX_SHOWN_ERRORS:
            self._meter.say(record.error)
        if self._ledger is not None:
            self._ledger.append(record)
        else:
            print(escape_json(record.to_json(), sys.stdout), flush=True)
        self._meter.advance(record.item.size, self._tally)

    def _on_event(self, event: Event) -> None:
        if event.kind == "notice":
            self._meter.say(event.text)

    def _progress(self) -> DownloadObserver:
        return draw_progress(sys.stderr, quiet=self._meter.quiet)

    def _show_summary(self) -> None:
        if self._tally.total:
            seconds = monotonic() - self._start_seconds
            line = batch_summary(self._tally, self._done_before, seconds, scored=self._scored)
            self._meter.say(line)


def _file_size(descriptor: int) -> int | None:
    """Return the input's size in bytes, None for a pipe."""
    status = os.fstat(descriptor)
    return status.st_size if stat.S_ISREG(status.st_mode) else None
