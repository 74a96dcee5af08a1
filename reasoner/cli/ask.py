"""`reasoner ask`: one question, one answer, one exit code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from reasoner.cli.options import RunOptions
from reasoner.cli.spread import spread
from reasoner.cli.talk import TalkOptions
from reasoner.cli.view import ViewOptions
from reasoner.errors import Interrupted, NoAnswer, UsageError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from reasoner.cli.output import Form, Output
    from reasoner.events import Event
    from reasoner.problem import Problem
    from reasoner.result import Result
    from reasoner.settings import Settings
    from reasoner.store.results import Results
    from reasoner.trace.tracer import Tracer

__all__ = ["answer", "ask"]


@spread
def ask(
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="The question.")
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Add a file; - is stdin. Repeatable."),
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(metavar="ANSWER", help="The known answer; the reply is checked against it."),
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Python that checks the reply's code: assertions, test_… functions or check().",
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the whole run in it, for reasoner trace FILE."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="Every event as a JSON line.")] = False,
    final: Annotated[bool, typer.Option("--final", help="Only the short final answer.")] = False,
    extract: Annotated[
        bool, typer.Option("--extract", "-x", help="Only the last code block of the answer.")
    ] = False,
    *,
    run: RunOptions,
    view: ViewOptions,
    talk: TalkOptions,
) -> None:
    """Answer a question and check the answer.

    The question is the argument, then the files, then stdin, with a blank line between them.
    stdout holds only the answer; thinking, progress and the verdict go to stderr.
    """
    chosen = [name for name, on in _forms(json, ndjson, final, extract).items() if on]
    if len(chosen) > 1:
        raise UsageError("give only one of --json, --ndjson, --final and --extract")
    form = chosen[0] if chosen else "text"
    answer(question, file or [], expect, form, run, view, talk, tests=tests, trace=trace)


def _forms(json: bool, ndjson: bool, final: bool, code: bool) -> "dict[Form, bool]":
    return {"json": json, "ndjson": ndjson, "final": final, "code": code}


def answer(
    argument: str | None,
    files: list[str],
    expect: str | None,
    form: "Form",
    run: RunOptions,
    view: ViewOptions,
    talk: TalkOptions,
    *,
    tests: Path | None = None,
    trace: Path | None = None,
) -> None:
    """Put the question together, answer it, and leave with the exit code it earned."""
    from reasoner.cli.output import Output
    from reasoner.cli.question import collect, read_file
    from reasoner.problem import Problem
    from reasoner.store.record import messages
    from reasoner.store.recorder import Recorder
    from reasoner.store.results import Results

    notices: list[str] = []
    question = collect(argument, files, notices)
    settings = run.settings(**talk.flags())
    conversation, turns = talk.resume()
    output = Output.open(view, form)
    for notice in notices:
        output.narrator.say(notice)
    given = None if tests is None else read_file(tests)
    problem = Problem(
        question=question,
        system=settings.system or (turns[-1].system if turns else None),
        history=messages(turns),
        expect=expect,
        tests=given,
    )
    recorder = Recorder(output.narrator.say, enabled=settings.history, conversation=conversation)
    results = Results()
    try:
        known = _recall(results, problem, settings, output) if trace is None else None
        answered = known or _work(problem, settings, output, trace)
    finally:
        output.end()
    result = answered.result
    try:
        output.close(result)
    finally:  # also when the answer's reader has left
        recorder.add(problem, result)
        if not answered.interrupted:
            results.keep(problem, settings, result, dated=answered.dated)
        results.close()
    answered.check()
    _conclude(result, form, interrupted=answered.interrupted)


class _Answered(NamedTuple):
    result: "Result"
    interrupted: bool = False
    dated: bool = False
    check: "Callable[[], None]" = lambda: None
    """Raises ReasonerError when the trace could not be kept."""


def _recall(
    results: "Results", problem: "Problem", settings: "Settings", output: "Output"
) -> _Answered | None:
    """The answer that the same question got before, told as if it came now."""
    from reasoner.store.results import replay

    found = results.find(problem, settings)
    if found is None:
        return None
    for event in replay(found, settings.effort):
        output.on_event(event)
    return _Answered(found)


def _work(
    problem: "Problem", settings: "Settings", output: "Output", trace: Path | None
) -> _Answered:
    import asyncio

    from reasoner.trace.tracer import Tracer

    with Tracer(trace, problem, settings) as tracer:
        return asyncio.run(_solve(problem, settings, output, tracer))


async def _solve(
    problem: "Problem", settings: "Settings", output: "Output", tracer: "Tracer"
) -> _Answered:
    from reasoner.cli.interrupt import Interrupt
    from reasoner.serve.client import solver_for

    def on_event(event: "Event") -> None:
        tracer.record(event)
        output.on_event(event)

    with Interrupt(lambda: tracer.finish("interrupted")) as interrupt:
        async with solver_for(settings, on_event, output.progress) as solver:
            interrupt.soft()
            result = await solver.solve(problem, stop=interrupt.stop)
            dated = solver.dated
        return _Answered(result, interrupt.happened, dated, tracer.check)


def _conclude(result: "Result", form: "Form", *, interrupted: bool) -> None:
    """Turn what the answer is worth into an exit code; 0 is returning."""
    from reasoner.cli.output.writers import last_code

    if interrupted:
        raise Interrupted(
            "interrupted; what there was is above" if result.answer else "interrupted"
        )
    if not result.answer.strip():
        raise NoAnswer(f"the model gave no answer ({_reason(result)})")
    if form == "final" and result.final is None:
        raise NoAnswer("the reply holds no short final answer; leave out --final to read it")
    if form == "code" and last_code(result.answer) is None:
        raise NoAnswer("the reply holds no code block; leave out --extract to read it")
    if result.status == "no_answer":
        raise NoAnswer(f"the reply holds no answer ({_reason(result)})")
    if result.status == "refuted":
        raise typer.Exit(VerificationFailed.exit_code)


def _reason(result: "Result") -> str:
    return {
        "stop": "it ended by itself; ask again with another --seed or model",
        "length": "the token limit was reached; raise --max-tokens or --context",
        "budget": "the budget or the time for it was spent; raise --budget or --timeout",
        "interrupted": "the time was up; raise --timeout",
    }[result.finish_reason]
