"""`reasoner verify`: checks an answer without any model."""

import asyncio
import re
import sys
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path

import typer

from reasoner.answers.submission import read_submission
from reasoner.cache.verdicts import open_verdict_cache
from reasoner.cli.commands.verify_lines import verify_lines
from reasoner.cli.commands.verify_report import EXIT_CODES, NOTHING_TO_CHECK, print_lines, report_of
from reasoner.cli.options.json_output import print_json
from reasoner.cli.options.question import decode_text, read_stdin, read_text_file
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.verify import VerifyOptions
from reasoner.cli.output.terminal import is_terminal, print_error
from reasoner.errors import UsageError
from reasoner.plugin_host.host import PluginHost
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.types.verdict import Submission

__all__ = ["verify"]

UNKNOWN_OPTION = re.compile(r"--[a-z]")


@spread_options
def verify(options: VerifyOptions) -> None:
    """Check an answer without a model.

    The answer is the argument, the file, or stdin. A whole reply will do: its final answer is
    found, its arithmetic recomputed, its Python run in the sandbox.
    """
    if options.jsonl is None:
        exit_code = _verify_answer(options)
    else:
        exit_code = _verify_file(options, options.jsonl)
    _exit_with(exit_code)


def _exit_with(exit_code: int) -> None:
    raise typer.Exit(exit_code)


def _verify_file(options: VerifyOptions, jsonl: Path) -> int:
    """Check every line of a file and return the exit code. Raises UsageError for other options."""
    others = (options.answer, options.file, options.expect, options.question, options.tests)
    if any(value is not None for value in others):
        raise UsageError("--jsonl takes everything from its lines; leave the others out")
    verifiers = _open_verifiers(cached=not options.no_cache)
    return verify_lines(verifiers, jsonl, options.timeout)


def _verify_answer(options: VerifyOptions) -> int:
    """Check the answer and return the exit code. Raises UsageError without an answer."""
    text = _answer_text(options.answer, options.file)
    problem = Problem(
        question=options.question or "",
        expect=options.expect,
        tests=None if options.tests is None else read_text_file(options.tests),
    )
    is_program_file = options.file is not None and options.file.suffix == ".py"
    submission = read_submission(text, program=options.tests is not None or is_program_file)
    verifiers = _open_verifiers(cached=not options.no_cache)
    return _verify_one(verifiers, problem, submission, options)


def _answer_text(argument: str | None, file: Path | None) -> str:
    """Return the answer from the argument, the file or stdin. Raises UsageError without one."""
    # The command accepts unknown options so that -3 is an answer; the others are mistakes.
    if argument is not None and UNKNOWN_OPTION.match(argument):
        raise UsageError(f"no such option: {argument[:60]}{_nearest_option(argument)}")
    if argument not in (None, "-") and file is not None:
        raise UsageError("give the answer as an argument or as a file, not both")
    if file is not None and str(file) != "-":
        text = read_text_file(file)
    elif argument not in (None, "-"):
        text = decode_text(str(argument).encode(errors="surrogateescape"), "the answer")
    else:
        would_wait = argument is None and file is None and is_terminal(sys.stdin)
        text = "" if would_wait else read_stdin()
    if not text.strip():
        raise UsageError('no answer was given; try: reasoner verify "1/2" --expect 0.5')
    return text


def _nearest_option(word: str) -> str:
    """Return which option may be meant, and where they are listed."""
    names = [f"--{field.name.replace('_', '-')}" for field in fields(VerifyOptions)]
    near = get_close_matches(word.partition("=")[0], names, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{meant}; see reasoner verify --help"


def _verify_one(
    verifiers: PluginHost, problem: Problem, submission: Submission, options: VerifyOptions
) -> int:
    """Check one answer, print the report, and return the exit code."""
    with verifiers:
        verdicts = asyncio.run(verifiers.check(problem, submission, options.timeout))
    report = report_of(submission, verdicts)
    if options.json:
        print_json(report, indent=2 if is_terminal(sys.stdout) else None)
    else:
        print_lines(report)
        if report["outcome"] == "unknown" and not (problem.expect or problem.question):
            print_error(NOTHING_TO_CHECK)
    return EXIT_CODES[report["outcome"]]


def _open_verifiers(*, cached: bool) -> PluginHost:
    settings = Settings.load(cache=None if cached else False)
    return PluginHost(
        on_notice=print_error,
        unsafe_exec=settings.unsafe_exec,
        verdict_cache=open_verdict_cache(settings),
    )
