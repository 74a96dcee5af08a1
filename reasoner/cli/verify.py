"""`reasoner verify`: checks an answer without any model."""

import re
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from reasoner.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from reasoner.batch.rows import Row
    from reasoner.problem import Problem
    from reasoner.verdict import Candidate, Verdict
    from reasoner.verify.host import Verifiers

__all__ = ["verify"]

EXIT = {"pass": 0, "fail": 3, "unknown": 4}
FIELDS = ("answer", "expect", "question", "tests", "entry_point")
"""What is read of a JSON line."""
AT_ONCE = 4
NOTHING = "nothing to check it by; give --expect, --question or --tests"
_OPTION = re.compile(r"--[a-z]")


def verify(
    answer: Annotated[
        str | None,
        typer.Argument(metavar="ANSWER", help="The answer, short or a whole reply; - is stdin."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the answer from it.")
    ] = None,
    expect: Annotated[str | None, typer.Option(metavar="ANSWER", help="The known answer.")] = None,
    question: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What was asked: its examples, numbers and equations are checked too.",
        ),
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Python that checks the answer's code."),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Check many: an object a line with answer, expect, question, tests; - is stdin.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="Wall clock for a check.")
    ] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Check it anew, and keep nothing.")
    ] = False,
) -> None:
    """Check an answer without a model.

    The answer is the argument, the file, or stdin. A whole reply will do: its final answer is
    found, its arithmetic recomputed, its Python run in the sandbox.
    """
    if jsonl is not None:
        if any(given is not None for given in (answer, file, expect, question, tests)):
            raise UsageError("--jsonl takes everything from its lines; leave the others out")
        raise typer.Exit(_lines(_verifiers(cached=not no_cache), jsonl, timeout))
    from reasoner.cli.question import read_file
    from reasoner.problem import Problem

    text = _answer(answer, file)
    program = tests is not None or (file is not None and file.suffix == ".py")
    given = None if tests is None else read_file(tests)
    problem = Problem(question=question or "", expect=expect, tests=given)
    from reasoner.verify.submission import read_reply

    candidate = read_reply(text, program=program)
    verifiers = _verifiers(cached=not no_cache)
    raise typer.Exit(_one(verifiers, problem, candidate, timeout, json=json))


def _answer(argument: str | None, file: Path | None) -> str:
    from reasoner.cli.output.terminal import is_terminal
    from reasoner.cli.question import decode, read_file, read_stdin

    if argument is not None and _OPTION.match(argument):  # unknown ones pass, for the sake of -3
        raise UsageError(f"no such option: {argument[:60]}; see reasoner verify --help")
    if argument not in (None, "-") and file is not None:
        raise UsageError("give the answer as an argument or as a file, not both")
    if file is not None and str(file) != "-":
        text = read_file(file)
    elif argument not in (None, "-"):
        text = decode(str(argument).encode(errors="surrogateescape"), "the answer")
    else:
        waits = argument is None and file is None and is_terminal(sys.stdin)
        text = "" if waits else read_stdin()
    if not text.strip():
        raise UsageError('no answer was given; try: reasoner verify "1/2" --expect 0.5')
    return text


def _one(
    verifiers: "Verifiers",
    problem: "Problem",
    candidate: "Candidate",
    seconds: float,
    *,
    json: bool,
) -> int:
    import asyncio

    from reasoner.cli.output.terminal import complain

    with verifiers:
        verdicts = asyncio.run(verifiers.check(problem, candidate, seconds))
    row = _row(candidate, verdicts)
    if json:
        _print_json(row)
    else:
        _print_lines(row)
        if row["outcome"] == "unknown" and not (problem.expect or problem.question):
            complain(NOTHING)
    return EXIT[row["outcome"]]


def _verifiers(*, cached: bool) -> "Verifiers":
    from reasoner.cli.output.terminal import complain
    from reasoner.settings import Settings
    from reasoner.store.verdicts import open_verdicts
    from reasoner.verify.host import Verifiers

    settings = Settings.load(cache=None if cached else False)
    return Verifiers(
        on_notice=complain, unsafe_exec=settings.unsafe_exec, kept=open_verdicts(settings)
    )


def _row(candidate: "Candidate", verdicts: "tuple[Verdict, ...]") -> "Row":
    """Everything there is to say about one answer."""
    from reasoner.verify.status import standing, status

    outcomes = {"verified": "pass", "refuted": "fail"}
    outcome = outcomes.get(status(verdicts, answered=True), "unknown")
    telling = [v for v in verdicts if v.outcome == outcome] or list(verdicts)
    return {
        "outcome": outcome,
        "reason": "; ".join(v.reason for v in telling) or NOTHING,
        "final": candidate.final,
        "standing": round(standing(verdicts), 4),
        "verdicts": [verdict.model_dump(mode="json") for verdict in verdicts],
    }


def _print_lines(row: "Row") -> None:
    from reasoner.cli.output.terminal import one_line

    for verdict in row["verdicts"] or [row]:
        outcome, name, reason = verdict["outcome"], verdict.get("verifier", "-"), verdict["reason"]
        print(f"{outcome:<7}  {name:<14}  {one_line(reason)}")


def _print_json(row: "Row") -> None:
    import json

    from reasoner.cli.output.terminal import is_terminal

    indent = 2 if is_terminal(sys.stdout) else None
    print(json.dumps(row, indent=indent), flush=True)


def _lines(verifiers: "Verifiers", path: Path, seconds: float) -> int:
    import asyncio

    try:
        with _open(path) as stream:
            return asyncio.run(_judge_all(verifiers, stream.fileno(), seconds))
    except KeyboardInterrupt:
        raise Interrupted("interrupted; the lines printed so far are complete") from None


def _open(path: Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


async def _judge_all(verifiers: "Verifiers", descriptor: int, seconds: float) -> int:
    import json

    from reasoner.batch.flow import each
    from reasoner.batch.rows import read_lines

    seen: list[str] = []
    with verifiers:

        async def work(numbered: tuple[int, bytes]) -> "Row":
            return await _judge(verifiers, *numbered, seconds)

        lines = ((n, line) for n, line in enumerate(read_lines(descriptor), 1) if line.strip())
        async for row in each(lines, work, AT_ONCE):
            print(json.dumps(row), flush=True)
            seen.append(row["outcome"])
    if not seen or {*seen} == {"error"}:
        raise UsageError("no line could be used; each is a JSON object with at least an answer")
    return 3 if "fail" in seen else 0 if {*seen} == {"pass"} else 4


async def _judge(verifiers: "Verifiers", number: int, line: bytes, seconds: float) -> "Row":
    from reasoner.batch.rows import read_row, text_of
    from reasoner.problem import Problem
    from reasoner.verify.submission import read_reply

    row: Row = {}
    try:
        row = read_row(line)
        given = {field: text_of(row, field) for field in FIELDS}
        answer = given.pop("answer")
        if answer is None:
            raise ValueError("no answer (or pred)")
    except ValueError as error:
        return {**row, "outcome": "error", "error": f"line {number}: {error}"}
    given["question"] = given["question"] or ""
    problem = Problem.model_validate(given)
    candidate = read_reply(answer, program=problem.tests is not None)
    return {**row, **_row(candidate, await verifiers.check(problem, candidate, seconds))}
