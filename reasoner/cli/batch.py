"""`reasoner batch`: many questions, one model, one batch; goes on where it was stopped."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from itertools import chain, islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reasoner.cli.options import RunOptions
from reasoner.cli.spread import spread
from reasoner.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from reasoner.batch.item import Item
    from reasoner.batch.ledger import Ledger
    from reasoner.batch.record import Record
    from reasoner.batch.source import Form
    from reasoner.batch.tally import Tally
    from reasoner.cli.interrupt import Interrupt
    from reasoner.events import Event
    from reasoner.models.progress import Progress
    from reasoner.problem import Problem
    from reasoner.result import Result
    from reasoner.settings import Settings

__all__ = ["batch"]

AT_ONCE = 16
"""Lines of thought at work; on a CPU more of them are hardly faster together."""
MOST = 256
SHOWN = 10
"""Errors that are told on stderr; all of them are in the output."""


@spread
def batch(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON Lines, or a table (.csv, .tsv); - is stdin."),
    ] = Path("-"),
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write there; what is there already is not repeated."),
    ] = None,
    form: Annotated[
        Literal["jsonl", "csv", "tsv"] | None,
        typer.Option("--format", help="The input's format (default: by the file's name)."),
    ] = None,
    expect_field: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The field with the known answer; scores the run."),
    ] = None,
    concurrency: Annotated[
        str, typer.Option(metavar="N|auto", help="Questions at work at once.")
    ] = "auto",
    as_finished: Annotated[
        bool, typer.Option("--as-finished", help="Write in the order of finishing, not of input.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")
    ] = False,
    *,
    run: RunOptions,
) -> None:
    """Answer many questions at once, each as a line of JSON.

    An item has a question (or prompt, or problem) and perhaps id, system, expect, tests,
    entry_point. Its line of output is what `ask --json` prints, with the id in front (without one:
    made from line and content); or id, line and error, which does not stop the run.

    With --out the same command goes on where it was stopped, by Ctrl-C or anything else: each item
    is in the file exactly once. To have errors tried again, delete their lines.
    """
    import asyncio

    from reasoner.batch.ledger import Ledger

    settings = run.settings()
    with ExitStack() as open_:
        descriptor = _open(file, open_)
        ledger = None if out is None else open_.enter_context(Ledger(out))
        if ledger is not None and ledger.is_same_file(descriptor):
            raise UsageError("--out is the input file; give another one")
        job = _Job(descriptor, form or _form(file), expect_field, settings, ledger, quiet)
        tally = asyncio.run(job.run(_at_once(concurrency, settings), in_order=not as_finished))
    raise typer.Exit(tally.exit_code)


def _open(file: Path, open_: ExitStack) -> int:
    """The input's descriptor."""
    from reasoner.cli.output.terminal import is_terminal

    if str(file) != "-":
        try:
            return open_.enter_context(file.open("rb")).fileno()
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if sys.stdin is None or is_terminal(sys.stdin):
        raise UsageError("no items were given; try: reasoner batch questions.jsonl")
    return sys.stdin.fileno()


def _form(file: Path) -> "Form":
    suffixes: dict[str, Form] = {".csv": "csv", ".tsv": "tsv"}
    return suffixes.get(file.suffix.lower(), "jsonl")


def _at_once(text: str, settings: "Settings") -> int:
    """`auto`: so many questions that their lines of thought are AT_ONCE together."""
    from reasoner.effort import planned
    from reasoner.models.catalog import registry
    from reasoner.strategies.registry import find_strategy

    plan = planned(settings, registry().get(settings.model))
    parameters = find_strategy(plan.strategy).parse(plan.strategy_options)
    if text == "auto":
        return max(1, AT_ONCE // getattr(parameters, "n", 1))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise UsageError(f"--concurrency takes auto or a number from 1 to {MOST}; got '{text}'")
    return int(text)


class _Job:
    """One run of the command: from a descriptor to a ledger, or to stdout."""

    def __init__(
        self,
        descriptor: int,
        form: "Form",
        expect: str | None,
        settings: "Settings",
        ledger: "Ledger | None",
        quiet: bool,
    ) -> None:
        from reasoner.batch.source import read_items
        from reasoner.batch.tally import Tally
        from reasoner.cli.output.progress import BatchProgress

        self._settings, self._ledger, self._scored = settings, ledger, expect is not None
        self._tally = ledger.tally if ledger else Tally()
        self._before, self._begun = self._tally.total, monotonic()
        self._meter = BatchProgress(sys.stderr, _size(descriptor), quiet=quiet)
        self._items = self._pending(read_items(descriptor, form, expect))

    async def run(self, at_once: int, *, in_order: bool) -> "Tally":
        """Answer what is not done yet. Raises Interrupted when Ctrl-C ended it early."""
        from reasoner.cli.interrupt import Interrupt

        with Interrupt() as interrupt:
            if not self._before or self._anything_left():
                await self._answer(interrupt, at_once, in_order)
            self._meter.clear()
            self._conclude()
        if interrupt.happened:
            go_on = "; the same command goes on from there" if self._ledger else ""
            raise Interrupted(f"interrupted; {self._tally.total} items are done{go_on}")
        if not self._tally.total:
            raise UsageError("there is no item in the input")
        return self._tally

    async def _answer(self, interrupt: "Interrupt", at_once: int, in_order: bool) -> None:
        from reasoner.batch.run import run
        from reasoner.serve.client import solver_for

        async with solver_for(self._settings, self._on_event, self._progress()) as solver:
            interrupt.soft()
            stop = interrupt.stop

            async def solve(problem: "Problem") -> "Result":
                result = await solver.solve(problem, stop=stop)
                if result.finish_reason == "interrupted" and not stop.is_set():
                    await solver.ensure()  # a server that is stopping left it half done
                return result

            answered = run(self._items, solve, at_once, in_order=in_order, stop=stop)
            async with aclosing(answered) as records:
                async for record in records:
                    self._write(record)

    def _pending(self, items: "Iterator[Item]") -> "Iterator[Item]":
        for item in items:
            if self._ledger is not None and item.id in self._ledger:
                self._meter.skip(item.size)
            else:
                yield item

    def _anything_left(self) -> bool:
        """Whether it is worth while to load the model."""
        first = list(islice(self._items, 1))
        self._items = chain(first, self._items)
        return bool(first)

    def _write(self, record: "Record") -> None:
        from reasoner.cli.output.writers import escape

        self._tally.add(record.row())
        if record.error is not None and self._tally.counts["error"] <= SHOWN:
            self._meter.say(record.error)
        if self._ledger is not None:
            self._ledger.write(record)
        else:
            print(escape(record.json()), flush=True)
        self._meter.advance(record.item.size, self._tally)

    def _on_event(self, event: "Event") -> None:
        if event.kind == "notice":
            self._meter.say(event.text)

    def _progress(self) -> "Progress":
        from reasoner.cli.output.progress import draw_progress

        return draw_progress(sys.stderr, quiet=self._meter.quiet)

    def _conclude(self) -> None:
        from reasoner.cli.output.progress import batch_summary

        if self._tally.total:
            seconds = monotonic() - self._begun
            self._meter.say(batch_summary(self._tally, self._before, seconds, scored=self._scored))


def _size(descriptor: int) -> int | None:
    """The input's bytes, where it is a file."""
    found = os.fstat(descriptor)
    return found.st_size if stat.S_ISREG(found.st_mode) else None
