"""Linting a program, and running the given tests and the question's examples against it.

The tests run in one sandbox and the submitted program in another. Only calls and plain values pass
between them, through this process (see `suite`), so that a program cannot forge a result except by
returning the right values. Two gaps remain. Tests that use the program's classes or variables, or
pass functions to it, run in its process (`apart` is false); there a program that searches the
callers' frames can find the nonce that marks the report and write a report of its own. And a
program that contains the question's examples can return their results literally.
"""

import json
import secrets
import time
from typing import Any

from pydantic import BaseModel, ConfigDict

from python_sandbox.execution import ProgramRun
from python_sandbox.test_run.boxed import run_boxed
from reasoner.types.problem import Problem

__all__ = ["TestRun", "run_tests", "survey_program"]

MAX_TEST_RUNS = 20
"""The largest number of runs of the tests; a call that depends on an earlier result needs one."""
SURVEY_SECONDS = 5.0


class TestRun(BaseModel):
    """The results of linting and testing a program so far.

    `python` is whether it parses, None when the check did not run. `calls` are the calls of the
    program that the tests still need; without any the counts are final. `given` is set when tests
    were run and not only the question's examples. `broken` is the reason why the tests could not
    be run. `failures` and `open` describe the first failed and the first undecided checks.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    python: bool | None = None
    error: str | None = None
    lints: tuple[str, ...] = ()
    prelude: str = ""
    passes: int = 0
    failed: int = 0
    undecided: int = 0
    failures: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    given: bool = False
    broken: str | None = None
    together: bool = False
    apart: bool = True
    calls: tuple[Any, ...] = ()
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """The number of checks."""
        return self.passes + self.failed + self.undecided


def survey_program(problem: Problem, code: str, seconds: float) -> TestRun:
    """Lint the program and collect the calls that the tests make, without running it."""
    guessed = _suite(problem, code, [], min(SURVEY_SECONDS, seconds), guess=True)
    if guessed.python is None:  # a guessed value may keep a loop from ending
        return _suite(problem, code, [], min(SURVEY_SECONDS, seconds))
    return guessed


def run_tests(problem: Problem, code: str, survey: TestRun, seconds: float) -> TestRun:
    """Make the calls that the tests need, for at most `seconds`, until every check is decided.

    `survey` is the result of `survey`.
    """
    end = time.monotonic() + seconds
    memo: list[tuple[str, dict[str, Any]]] = []
    trial, spent_seconds = survey, 0.0
    for _ in range(MAX_TEST_RUNS):
        remaining_seconds = end - time.monotonic()
        if not trial.calls or remaining_seconds <= 0.2:
            break
        results, took = _call(code, trial, remaining_seconds / 2)
        spent_seconds += took
        memo += results
        trial = _suite(problem, code, memo, max(1.0, end - time.monotonic()))
    if trial.together:
        began = time.monotonic()
        trial = _suite(problem, code, [], max(1.0, end - began), together=True)
        spent_seconds += time.monotonic() - began
    return trial.model_copy(update={"seconds": spent_seconds})


def _suite(
    problem: Problem,
    code: str,
    memo: list[tuple[str, dict[str, Any]]],
    seconds: float,
    *,
    guess: bool = False,
    together: bool = False,
) -> TestRun:
    nonce = secrets.token_hex(16)
    order = {
        "question": problem.question,
        "tests": problem.tests,
        "entry_point": problem.entry_point,
        "code": code,
        "memo": memo,
        "guess": guess,
        "together": together,
        "nonce": nonce,
    }
    run, lines = run_boxed("suite", order, seconds)
    report_text = next((line.removeprefix(nonce) for line in lines if line.startswith(nonce)), "")
    report = _object(report_text)
    if not report:
        reason = run.error or f"the tests did not come to an end ({run.outcome})"
        tests_expected = problem.tests is not None and run.outcome != "refused"
        return TestRun(broken=reason if tests_expected else None, apart=not together)
    return TestRun.model_validate(report | {"apart": not together})


def _call(
    code: str, trial: TestRun, seconds: float
) -> tuple[list[tuple[str, dict[str, Any]]], float]:
    """Return the results of the calls, as the program reports them, and the seconds they took.

    A call that ends the program also prevents the calls after it; they are made again later.
    """
    order = {"code": code, "prelude": trial.prelude, "calls": trial.calls}
    run, lines = run_boxed("callee", order, seconds)
    results: dict[int, dict[str, Any]] = {}
    for line in lines:
        message = _object(line)
        number = message.get("call")
        if isinstance(number, int) and 0 <= number < len(trial.calls):
            results.setdefault(number, message)
    lost = next((n for n in range(len(trial.calls)) if n not in results), None)
    if lost is not None:
        results[lost] = _lost(run)
    return [(json.dumps(trial.calls[n]), result) for n, result in results.items()], run.seconds


def _lost(run: ProgramRun) -> dict[str, Any]:
    """Return the result of a call that the program did not report."""
    if run.outcome == "ok":  # it was cut from too long an output
        return {"opaque": "too much data"}
    kind = "TimeoutError" if run.outcome == "timeout" else "RuntimeError"
    return {"raised": kind, "text": f"{kind}: the program ended without a result ({run.outcome})"}


def _object(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
