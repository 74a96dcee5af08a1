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
    judge_tool_calls,
)
from python_sandbox.probe import choose_layer, permit_unsafe
from python_sandbox.program import MAX_CODE_CHARACTERS, assemble_programs
from python_sandbox.run import run_python
from python_sandbox.test_run import TestRun, run_tests, survey_program
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
    deadline = time.monotonic() + seconds
    codes = assemble_programs(submission.code)
    if not codes:
        compare = _with_limit(compare_answers, seconds)
        return _without_code(problem) or judge_tool_calls(problem, submission, compare)
    if any(len(code) > MAX_CODE_CHARACTERS for code in codes):
        return build_verdict(
            Outcome.UNKNOWN, "the code is too long to run", ProgramRun(outcome="refused")
        )
    code, run, trial = _run_first_working(problem, codes, deadline)
    if run.outcome in ("ok", "error"):
        trial = run_tests(problem, code, trial, max(0.5, deadline - time.monotonic()))
    compare = _with_limit(compare_answers, deadline - time.monotonic())
    judged = judge_program(problem, submission, code, run, trial, compare)
    return judged.model_copy(update={"seconds": time.monotonic() - deadline + seconds})


def _run_first_working(
    problem: Problem, codes: Sequence[str], deadline: float
) -> tuple[str, ProgramRun, TestRun]:
    """Run the programs in order up to the first that ends well or cannot be helped by the next.

    Returns the last program run, how its run went, and the survey of it.
    """
    for number, code in enumerate(codes):
        trial = survey_program(problem, code, (deadline - time.monotonic()) / 2)
        remaining = deadline - time.monotonic()
        share = 0.5 if trial.calls or trial.together else 0.75  # the rest is for the tests
        limit = max(0.5, remaining if number else remaining * share)
        run = run_python(_with_prelude(trial.prelude, code), seconds=limit)
        if run.outcome in ("ok", "refused", "timeout"):
            break
    return code, run, trial


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
