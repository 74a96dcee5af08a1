"""The work of `reasoner eval`: answer, compare with the known answers, and report."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from hashlib import blake2b
from pathlib import Path
from typing import Any

from reasoner.api import open_solver
from reasoner.atomic_file import write_atomically
from reasoner.batch.ledger import BatchOutput
from reasoner.batch.rows import parse_row
from reasoner.cli.interrupt import Interrupt
from reasoner.cli.options.concurrency import parse_concurrency
from reasoner.cli.options.eval import EvalOptions
from reasoner.cli.options.json_output import print_json
from reasoner.cli.options.run import RunOptions
from reasoner.cli.output.eval_progress import EvalProgress
from reasoner.cli.output.progress import draw_progress
from reasoner.cli.output.terminal import print_error
from reasoner.errors import Interrupted, UsageError
from reasoner.evaluation.page import render_page
from reasoner.evaluation.question import EvalQuestion, load_questions
from reasoner.evaluation.record import ScoredRow
from reasoner.evaluation.report import EvalReport
from reasoner.evaluation.run import evaluate
from reasoner.evaluation.variant import Variant, parse_variants
from reasoner.plugin_host.host import PluginHost
from reasoner.settings import Settings

__all__ = ["run_evaluation"]

MANIFEST_NAME = "evaluation.json"
MAX_SHOWN_COMPLAINTS = 5


def run_evaluation(options: EvalOptions, run: RunOptions) -> None:
    """Answer what is not answered yet, and print and write the report.

    Raises UsageError for a wrong request and Interrupted after Ctrl-C.
    """
    flags = run.flags() | {"cache": False}
    variants = parse_variants(options.compare or [])
    settings = {variant.name: _settings_of(variant, flags) for variant in variants}
    limits = {name: parse_concurrency(options.concurrency, each) for name, each in settings.items()}
    seed = next(iter(settings.values())).seed
    questions, complaints = load_questions(options.data, options.n, seed, options.expect_field)
    _show_complaints(complaints, quiet=options.quiet)
    with ExitStack() as stack:
        folder = options.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _claim_folder(folder, _manifest(questions, settings))
        job = _EvalJob(folder, questions, options)
        for name, each in settings.items():
            asyncio.run(job.complete(name, each, limits[name]))
        report = EvalReport(job.rows, job.errors, _notes(options, questions, settings, seed))
        if options.out:
            _write_reports(folder, report)
    if not report.summaries:
        raise UsageError("no question could be answered; see the records' errors with --out DIR")
    if options.json:
        print_json(report.to_mapping(), indent=2)
    else:
        print(report.to_markdown(), end="")


def _settings_of(variant: Variant, flags: Mapping[str, Any]) -> Settings:
    """Return the settings of a variant. Raises UsageError for a value that a setting cannot
    have."""
    changes = {
        name: {**flags.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in variant.changes.items()
    }
    return Settings.load(**{**flags, **changes})


def _show_complaints(complaints: Sequence[str], *, quiet: bool) -> None:
    if quiet:
        return
    for complaint in complaints[:MAX_SHOWN_COMPLAINTS]:
        print_error(complaint)
    if len(complaints) > MAX_SHOWN_COMPLAINTS:
        print_error(f"{len(complaints) - MAX_SHOWN_COMPLAINTS} more rows cannot be used")


def _manifest(questions: Sequence[EvalQuestion], settings: Mapping[str, Settings]) -> str:
    """Return what the records of a folder depend on, as JSON: a digest of the questions, and the
    settings of each variant."""
    digest = blake2b(digest_size=12)
    for question in questions:
        digest.update(f"{question.item.id}\0{question.known.model_dump_json()}\0".encode())
    variants = {
        name: each.model_dump(mode="json", exclude_defaults=True) for name, each in settings.items()
    }
    return json.dumps({"questions": digest.hexdigest(), "variants": variants}, indent=2)


def _claim_folder(folder: Path, manifest: str) -> None:
    """Make the folder of a new evaluation, or go on with the same one. Raises UsageError for the
    folder of another evaluation and one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / MANIFEST_NAME
        if not path.exists():
            write_atomically(path, manifest)
        elif path.read_text() != manifest:
            raise UsageError(f"{folder} holds an evaluation with other questions or settings")
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error


class _EvalJob:
    """One evaluation. `rows` and `errors` hold what has been answered, by variant."""

    def __init__(
        self, folder: Path, questions: Sequence[EvalQuestion], options: EvalOptions
    ) -> None:
        self._folder, self._questions, self._quiet = folder, questions, options.quiet
        self._resumable = options.out is not None
        self.rows: dict[str, list[ScoredRow]] = {}
        self.errors: dict[str, int] = {}

    async def complete(self, variant: str, settings: Settings, concurrency: int) -> None:
        """Answer the questions that a variant's file lacks, and read all of its rows.

        Raises Interrupted when Ctrl-C ended it.
        """
        path = self._folder / f"{_file_name(variant)}.jsonl"
        progress = EvalProgress(sys.stderr, variant, len(self._questions), quiet=self._quiet)
        with BatchOutput(path) as output, Interrupt() as interrupt:
            pending = [each for each in self._questions if each.item.key not in output]
            progress.skip(len(self._questions) - len(pending))
            if pending:
                await self._answer(pending, settings, output, concurrency, progress, interrupt)
            progress.clear()
            if interrupt.happened:
                hint = "; the same command goes on from there" if self._resumable else ""
                raise Interrupted(f"interrupted; {progress.done} answers of {variant} exist{hint}")
        rows = [ScoredRow.from_row(parse_row(line)) for line in path.read_bytes().splitlines()]
        self.rows[variant] = [row for row in rows if row is not None]
        self.errors[variant] = len(rows) - len(self.rows[variant])

    async def _answer(
        self,
        pending: Sequence[EvalQuestion],
        settings: Settings,
        output: BatchOutput,
        concurrency: int,
        progress: EvalProgress,
        interrupt: Interrupt,
    ) -> None:
        observer = draw_progress(sys.stderr, quiet=self._quiet)
        with PluginHost(on_notice=progress.say) as verifiers:
            async with open_solver(settings, progress.on_event, observer) as solver:
                interrupt.soft()

                async def solve(problem: Any) -> Any:
                    return await solver.solve(problem, stop=interrupt.stop)

                stream = evaluate(pending, solve, verifiers, concurrency, interrupt.stop)
                async with aclosing(stream) as records:
                    async for record in records:
                        output.append(record)
                        progress.advance(correct=record.correct is True)


def _file_name(variant: str) -> str:
    """Return a file name for a variant: its name where that is harmless, else with a digest."""
    harmless = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in variant)
    if harmless == variant:
        return variant
    return f"{harmless[:80]}-{blake2b(variant.encode(), digest_size=4).hexdigest()}"


def _notes(
    options: EvalOptions,
    questions: Sequence[EvalQuestion],
    settings: Mapping[str, Settings],
    seed: int,
) -> list[str]:
    """Return the facts that a reader needs to repeat the run."""
    models = list(dict.fromkeys(each.model for each in settings.values()))
    files = ", ".join(file.name for file in options.data)
    return [
        f"{len(questions)} questions of {files}, seed {seed}, {', '.join(models)}",
        "Undecided answers count as not right. Tokens are means, seconds medians of a question.",
    ]


def _write_reports(folder: Path, report: EvalReport) -> None:
    """Write the report in three forms. Raises UsageError when the folder cannot be written."""
    if not report.summaries:
        return
    texts = {
        "report.md": report.to_markdown(),
        "report.html": render_page(report, "Evaluation"),
        "report.json": json.dumps(report.to_mapping(), indent=2),
    }
    try:
        for name, text in texts.items():
            write_atomically(folder / name, text)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error
