"""Runs the Python code of a submission in the strongest sandbox available and judges the run.

A PASS means one of the following, strongest first: the given tests hold; the examples in the
question hold; or the program ran to its end and a check of its own that could have failed passed.
Such a check is an assertion that was reached, a doctest, or printed output that equals the final
answer without the code containing it. Tests and examples run in a process of their own, where the
program cannot forge their result (see `test_run`). The model wrote the program's own checks,
and a hostile program can report anything, so a PASS by them is evidence about an honest program
only. A known answer never enters the sandbox: it is compared outside.
"""

import time
from collections.abc import Sequence

from pydantic import JsonValue

from python_sandbox import pool
from python_sandbox.execution import ProgramRun
from python_sandbox.judge import (
    NAME,
    CompareWithLimit,
    build_verdict,
    judge_program,
    judge_tests,
    judge_tool_calls,
)
from python_sandbox.probe import choose_layer, permit_unsafe
from python_sandbox.program import (
    MAX_CODE_CHARACTERS,
    assemble_programs,
    clean_spaces,
    cut_prose,
    may_be_altered,
    split_transcripts,
)
from python_sandbox.run import run_python
from python_sandbox.sample_runs import find_sample_runs, judge_sample_runs
from python_sandbox.test_run import may_hold_examples, run_tests
from python_sandbox.tool import call_tool, register_tools
from reasoner.plugin_host.hookspecs import CompareAnswers, hookimpl
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = [
    "NAME",
    "ProgramRun",
    "call_tool",
    "close",
    "health",
    "is_deterministic",
    "register_tools",
    "run_python",
    "set_permissions",
    "verify",
]


@hookimpl
def verify(
    problem: Problem, submission: Submission, seconds: float, compare_answers: CompareAnswers
) -> Verdict | None:
    """Run the submission's code; None when it has none and no tests ask for any."""
    start = time.monotonic()
    if not submission.code:
        compare = _with_limit(compare_answers, seconds)
        return _without_code(problem) or judge_tool_calls(problem, submission, compare)
    if sum(map(len, submission.code)) > MAX_CODE_CHARACTERS:
        refusal = ProgramRun(outcome="refused")
        return build_verdict(Outcome.UNKNOWN, "the code is too long to run", refusal)
    verdict = _judge(problem, submission, start + seconds, compare_answers)
    if verdict.evidence["outcome"] == "syntax" and any(map(may_be_altered, submission.code)):
        reason = f"{verdict.reason}; the code may have been altered on its way"
        verdict = verdict.model_copy(update={"outcome": Outcome.UNKNOWN, "reason": reason})
    return verdict.model_copy(update={"seconds": time.monotonic() - start})


def _judge(
    problem: Problem, submission: Submission, deadline: float, compare_answers: CompareAnswers
) -> Verdict:
    """Judge by the tests, else by the question's examples, else by the program's own run."""
    blocks = tuple(cut_prose(clean_spaces(block)) for block in submission.code)
    prelude = ""
    if problem.tests is not None or may_hold_examples(problem.question):
        programs = split_transcripts(blocks)[0]
        share = 1.0 if problem.tests is not None else 0.6
        trial = run_tests(problem, programs, max(0.5, share * (deadline - time.monotonic())))
        if verdict := judge_tests(trial):
            return verdict
        prelude = trial.prelude
        if problem.tests is not None:
            nothing = "the tests check nothing of the program"
            return build_verdict(Outcome.UNKNOWN, nothing, ProgramRun(outcome="ok"), 0.5, trial)
    if samples := find_sample_runs(problem.question, blocks):
        return judge_sample_runs(samples, blocks, deadline)
    code, run = _run_first_working(prelude, assemble_programs(blocks), deadline)
    compare = _with_limit(compare_answers, deadline - time.monotonic())
    return judge_program(problem, submission, code, run, compare)


def _run_first_working(
    prelude: str, codes: Sequence[str], deadline: float
) -> tuple[str, ProgramRun]:
    """Run the programs in order up to the first that ends well.

    Returns the last program run, and how its run went. Raises nothing: `codes` holds one at least.
    """
    for number, code in enumerate(codes):
        remaining_seconds = deadline - time.monotonic()
        is_last = number == len(codes) - 1
        limit = max(0.5, remaining_seconds if is_last else remaining_seconds * 0.6)
        run = run_python(_with_prelude(prelude, code), seconds=limit, lint=True)
        if run.outcome in ("ok", "refused"):
            break
    return code, run


def _with_prelude(prelude: str, code: str) -> str:
    """Return `code` after the question's own helpers; a `__future__` import must come first."""
    return code if "from __future__" in code else f"{prelude}\n{code}".lstrip("\n")


def _with_limit(compare_answers: CompareAnswers, remaining_seconds: float) -> CompareWithLimit:
    """Return the comparison with a time limit of at least half a second."""
    limit = max(0.5, remaining_seconds)
    return lambda expected, answer: compare_answers(expected, answer, limit)


def _without_code(problem: Problem) -> Verdict | None:
    if problem.tests is None:
        return None
    nothing = ProgramRun(outcome="refused")
    return build_verdict(Outcome.FAIL, "the reply holds no Python for the tests", nothing, 0.0)


@hookimpl
def set_permissions(unsafe_exec: bool) -> None:
    """Allow or refuse to run code where no layer is strong enough."""
    permit_unsafe(unsafe_exec)


@hookimpl
def is_deterministic() -> bool:
    """Return True: a verdict depends on the arguments and the sandbox only."""
    return True


@hookimpl
def health() -> dict[str, JsonValue]:
    """Report the layer in use, the result of its self-test, and why stronger ones are not used."""
    choice = choose_layer()
    name = choice.layer.name if choice.layer else None
    gaps = choice.layer.gaps if choice.layer else ()
    known = f"; known gaps: {', '.join(gaps) or 'none'}" if choice.layer else ""
    return {
        "ok": choice.layer is not None and choice.strong,
        "detail": (f"{name}: {choice.detail}" if name else choice.detail) + known,
        "layer": name,
        "gaps": list(gaps),
        "passed_over": dict(choice.failed_layers),
    }


@hookimpl
def close() -> None:
    """End the jails that wait for a program."""
    pool.close()
