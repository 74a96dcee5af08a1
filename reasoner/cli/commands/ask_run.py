"""The work of `reasoner ask`: answer the question, record it, and leave with the exit code."""

import sys
from pathlib import Path

import typer

from reasoner.cache.results import ResultCache, replay_events
from reasoner.cli.chat.conversation import resume_conversation
from reasoner.cli.commands.run_outcome import RunOutcome
from reasoner.cli.options.ask import AskOptions
from reasoner.cli.options.conversation import ConversationOptions
from reasoner.cli.options.question import collect_question, read_text_file
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.view import ViewOptions
from reasoner.cli.output.output import Output, OutputForm
from reasoner.cli.output.progress import StatusLine
from reasoner.cli.output.terminal import print_error
from reasoner.cli.output.writers import last_code
from reasoner.cli.recommendations import hint_at_stronger_model
from reasoner.errors import Interrupted, NoAnswer, VerificationFailed
from reasoner.history.recorder import ConversationRecorder
from reasoner.history.records import HistoryTurn, turn_messages
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["answer_question"]

ADVICE = {
    "stop": "it ended by itself; ask again with another --seed or model",
    "length": "the token limit was reached; raise --max-tokens or --context",
    "budget": "the budget or the time for it was spent; raise --budget or --timeout",
    "interrupted": "the time was up; raise --timeout",
}
"""What to do about a missing answer, by the reason why the reply ended."""


def answer_question(
    ask: AskOptions, run: RunOptions, view: ViewOptions, options: ConversationOptions
) -> None:
    """Answer the question and print the answer in the requested form.

    Raises UsageError for a wrong request, NoAnswer when the reply holds no answer of that form,
    Interrupted after Ctrl-C, and typer.Exit when a check refuted the answer.
    """
    form = ask.form
    warnings: list[str] = []
    question = collect_question(
        ask.question,
        ask.file or [],
        warnings,
        stdin_seconds=ask.stdin_timeout,
        display=StatusLine(sys.stderr, quiet=view.quiet),
    )
    for warning in warnings:  # also with --quiet: a part of the question is missing
        print_error(warning)
    settings = Settings.load(**run.flags(), **options.flags())
    conversation_id, turns = resume_conversation(options)
    output = Output.open(view, form)
    if not view.quiet:
        hint_at_stronger_model(settings, output.narrator.show_notice)
    problem = _problem(question, ask, settings, turns)
    recorder = ConversationRecorder(
        output.narrator.show_notice, enabled=settings.history, conversation=conversation_id
    )
    run_outcome = _answer(problem, settings, output, recorder, ask.trace)
    run_outcome.check_trace()
    _exit_with_status(run_outcome.result, form, interrupted=run_outcome.interrupted)


def _problem(
    question: str, ask: AskOptions, settings: Settings, turns: list[HistoryTurn]
) -> Problem:
    return Problem(
        question=question,
        system=settings.system or (turns[-1].system if turns else None),
        history=turn_messages(turns),
        expect=ask.expect,
        tests=None if ask.tests is None else read_text_file(ask.tests),
    )


def _answer(
    problem: Problem,
    settings: Settings,
    output: Output,
    recorder: ConversationRecorder,
    trace: Path | None,
) -> RunOutcome:
    """Answer the problem, from the cache if possible; print, record and cache the answer."""
    results = ResultCache()
    try:
        cached = _recall(results, problem, settings, output) if trace is None else None
        run_outcome = cached or _solve(problem, settings, output, trace)
    finally:
        output.end()
    result = run_outcome.result
    try:
        output.close(result)
    finally:  # also when the reader of stdout is gone
        recorder.add_turn(problem, result)
        if not run_outcome.interrupted:
            results.put(problem, settings, result, is_dated=run_outcome.dated)
        results.close()
    return run_outcome


def _recall(
    results: ResultCache, problem: Problem, settings: Settings, output: Output
) -> RunOutcome | None:
    """Return the cached result of the same request, with its events sent to the output."""
    result = results.get(problem, settings)
    if result is None:
        return None
    for event in replay_events(result, settings.effort):
        output.on_event(event)
    return RunOutcome(result)


def _solve(problem: Problem, settings: Settings, output: Output, trace: Path | None) -> RunOutcome:
    """Answer the problem with a model; what that needs is imported only then."""
    from reasoner.cli.commands.ask_solve import solve_problem

    return solve_problem(problem, settings, output, trace)


def _exit_with_status(result: Result, form: OutputForm, *, interrupted: bool) -> None:
    """Raise the error or exit whose code says what the answer is worth; return for success."""
    if interrupted:
        raise Interrupted(
            "interrupted; what there was is above" if result.answer else "interrupted"
        )
    advice = ADVICE[result.finish_reason]
    if not result.answer.strip():
        raise NoAnswer(f"the model gave no answer ({advice})")
    if form == "final" and result.final is None:
        raise NoAnswer("the reply holds no short final answer; leave out --final to read it")
    if form == "code" and last_code(result.answer) is None:
        raise NoAnswer("the reply holds no code block; leave out --extract to read it")
    if result.status == "no_answer":
        raise NoAnswer(f"the reply holds no answer ({advice})")
    if result.status == "refuted":
        raise typer.Exit(VerificationFailed.exit_code)
