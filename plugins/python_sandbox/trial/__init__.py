"""Whether a program is Python, lints, and does what the tests and the question's examples say.

The tests run in one sandbox and the submission in another; only calls and plain values pass
between them, by way of this process (see `suite`). So a program cannot forge a result: it can
only return right values. Two gaps are left. Tests that use the submission's classes or variables,
or pass it functions, run in its process (`apart` is false): there a program that searches our
frames can find the nonce that marks the report and write one of its own. And a program that
knows the examples can spell their results out.
"""

import json
import secrets
import time
from typing import Any

from pydantic import BaseModel, ConfigDict

from reasoner.plugins.python_sandbox.execution import Run
from reasoner.plugins.python_sandbox.trial.boxed import run_boxed
from reasoner.problem import Problem

__all__ = ["Trial", "survey", "try_out"]

ROUNDS = 20
"""Tests whose calls depend on earlier results need a round for each."""
SURVEY_SECONDS = 5.0


class Trial(BaseModel):
    """What is known of a program so far.

    `python` is None when nothing could look. `calls` are those still to be made; with none left
    the counts are final. `given` says that tests counted and not only the question's examples;
    `broken` why tests could not be run; `failures` and `open` tell the first failed and
    undecided checks.
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
        return self.passes + self.failed + self.undecided


def survey(problem: Problem, code: str, seconds: float) -> Trial:
    """Look at the program without running it: is it Python, does it lint, what will be called."""
    guessed = _suite(problem, code, [], min(SURVEY_SECONDS, seconds), guess=True)
    if guessed.python is None:  # a guess may keep a loop from ending
        return _suite(problem, code, [], min(SURVEY_SECONDS, seconds))
    return guessed


def try_out(problem: Problem, code: str, looked: Trial, seconds: float) -> Trial:
    """Run the program's functions as the tests ask, until every check is decided."""
    end = time.monotonic() + seconds
    memo: list[tuple[str, dict[str, Any]]] = []
    trial, spent = looked, 0.0
    for _ in range(ROUNDS):
        left = end - time.monotonic()
        if not trial.calls or left <= 0.2:
            break
        results, took = _call(code, trial, left / 2)
        spent += took
        memo += results
        trial = _suite(problem, code, memo, max(1.0, end - time.monotonic()))
    if trial.together:
        began = time.monotonic()
        trial = _suite(problem, code, [], max(1.0, end - began), together=True)
        spent += time.monotonic() - began
    return trial.model_copy(update={"seconds": spent})


def _suite(
    problem: Problem,
    code: str,
    memo: list[tuple[str, dict[str, Any]]],
    seconds: float,
    *,
    guess: bool = False,
    together: bool = False,
) -> Trial:
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
    told = next((line.removeprefix(nonce) for line in lines if line.startswith(nonce)), "")
    report = _object(told)
    if not report:
        why = run.error or f"the tests did not come to an end ({run.outcome})"
        wanted = problem.tests is not None and run.outcome != "refused"
        return Trial(broken=why if wanted else None, apart=not together)
    return Trial.model_validate(report | {"apart": not together})


def _call(
    code: str, trial: Trial, seconds: float
) -> tuple[list[tuple[str, dict[str, Any]]], float]:
    """The results of calls, whatever the program says of them, and the seconds it took.

    With a call that ends the program those behind it are lost; they are asked for again.
    """
    order = {"code": code, "prelude": trial.prelude, "calls": trial.calls}
    run, lines = run_boxed("callee", order, seconds)
    results: dict[int, dict[str, Any]] = {}
    for line in lines:
        said = _object(line)
        number = said.get("call")
        if isinstance(number, int) and 0 <= number < len(trial.calls):
            results.setdefault(number, said)
    lost = next((n for n in range(len(trial.calls)) if n not in results), None)
    if lost is not None:
        results[lost] = _lost(run)
    return [(json.dumps(trial.calls[n]), said) for n, said in results.items()], run.seconds


def _lost(run: Run) -> dict[str, Any]:
    """What stands for a result that did not come."""
    if run.outcome == "ok":  # it was cut out of too much output
        return {"opaque": "too much data"}
    kind = "TimeoutError" if run.outcome == "timeout" else "RuntimeError"
    return {"raised": kind, "text": f"{kind}: the program ended without a result ({run.outcome})"}


def _object(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
