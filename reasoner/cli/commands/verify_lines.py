"""`reasoner verify --jsonl`: a report for each line of a file."""

import asyncio
import sys
from pathlib import Path
from typing import IO

from reasoner.answers.submission import read_submission
from reasoner.batch.rows import Row, field_text, parse_row, read_lines
from reasoner.cli.commands.verify_report import report_of
from reasoner.cli.options.json_output import print_json
from reasoner.concurrency.bounded_map import bounded_map
from reasoner.errors import Interrupted, UsageError
from reasoner.plugin_host.host import PluginHost
from reasoner.types.problem import Problem

__all__ = ["verify_lines"]

INPUT_FIELDS = ("answer", "expect", "question", "tests", "entry_point")
CONCURRENCY = 4


def verify_lines(verifiers: PluginHost, file: Path, timeout_seconds: float) -> int:
    """Check each line, print a line of JSON for it, and return the exit code of them all.

    Raises UsageError when no line can be used, Interrupted after Ctrl-C.
    """
    try:
        with _open_lines(file) as stream:
            return asyncio.run(_verify_stream(verifiers, stream.fileno(), timeout_seconds))
    except KeyboardInterrupt:
        raise Interrupted("interrupted; the lines printed so far are complete") from None


def _open_lines(file: Path) -> IO[bytes]:
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


async def _verify_stream(verifiers: PluginHost, descriptor: int, timeout_seconds: float) -> int:
    outcomes: list[str] = []
    with verifiers:

        async def verify_numbered(numbered: tuple[int, bytes]) -> Row:
            return await _verify_line(verifiers, *numbered, timeout_seconds)

        lines = ((n, line) for n, line in enumerate(read_lines(descriptor), 1) if line.strip())
        async for row in bounded_map(lines, verify_numbered, CONCURRENCY):
            print_json(row)
            outcomes.append(row["outcome"])
    if not outcomes or {*outcomes} == {"error"}:
        raise UsageError("no line could be used; each is a JSON object with at least an answer")
    return 3 if "fail" in outcomes else 0 if {*outcomes} == {"pass"} else 4


async def _verify_line(
    verifiers: PluginHost, number: int, line: bytes, timeout_seconds: float
) -> Row:
    """Return the line's own fields with the report; an error row for a line of no use."""
    row: Row = {}
    try:
        row = parse_row(line)
        fields = {field: field_text(row, field) for field in INPUT_FIELDS}
        answer = fields.pop("answer")
        if answer is None:
            raise ValueError("no answer (or pred)")
    except ValueError as error:
        return {**row, "outcome": "error", "error": f"line {number}: {error}"}
    fields["question"] = fields["question"] or ""
    problem = Problem.model_validate(fields)
    submission = read_submission(answer, program=problem.tests is not None)
    verdicts = await verifiers.check(problem, submission, timeout_seconds)
    return {**row, **report_of(submission, verdicts)}
