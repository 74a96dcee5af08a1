"""Running given tests and the question's examples against a program.

The tests run in one sandbox and the submitted program in another. The host connects the two and
copies the bytes between them (`relay`). Calls, attributes, operators and exceptions pass by value
or by reference (`peer`); comparisons are made on the tests' side only, between values of builtin
types (`tests_side`). What cannot be passed on leaves a check undecided.

What remains: a program that contains the question's examples can return their results literally,
and a program may remember what the tests passed to it, as any program can.
"""

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from python_sandbox.execution import ProgramRun
from python_sandbox.run import ConnectedRuns
from python_sandbox.test_run.boxed import run_tests_boxed
from reasoner.types.problem import Problem

__all__ = ["TestRun", "may_hold_examples", "run_tests"]

_EXAMPLE_SIGN = re.compile(
    r">>>|=>|->|\)`?\s?=|[➞→⇒]|==|```|(?m:^(?:def|class|from|import) )|"
    r"(?i:\binputs?\b|output\b|\breturns?\b|\bshould\b|\bmust\b|\bwill\b|\bgives\b|\bprints\b|\bevaluates\b)"
)
_ENDINGS = {
    "memory": "ran out of memory",
    "output": "sent too much data",
    "disk": "wrote too much",
    "signal": "crashed the interpreter",
}


class TestRun(BaseModel):
    """The results of loading and testing a program.

    `python` is whether it parses, None when nothing ran; `error` is the first error of its own
    statements, `lacks` whether that may come from what the sandbox lacks.
    `prelude` is the question's own code. `given` is set when tests
    were run and not only the question's examples. `broken` is the reason why the tests could not be
    run. `failures` and `open` describe the first failed and the first undecided checks. `lost` is
    the check during which the program ended. `refused` is the reason why nothing was run.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    python: bool | None = None
    error: str | None = None
    lacks: bool = False
    lints: tuple[str, ...] = ()
    prelude: str = ""
    passes: int = 0
    failed: int = 0
    undecided: int = 0
    failures: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    given: bool = False
    broken: str | None = None
    lost: str | None = None
    refused: str | None = None
    layer: str = ""
    note: str = ""
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """The number of checks."""
        return self.passes + self.failed + self.undecided


def may_hold_examples(question: str) -> bool:
    """Return whether a question may hold examples or code; without a sign none is looked for."""
    return _EXAMPLE_SIGN.search(question) is not None


def run_tests(problem: Problem, blocks: tuple[str, ...], seconds: float) -> TestRun:
    """Test the program in `blocks` for at most `seconds`."""
    order = {
        "question": problem.question,
        "tests": problem.tests,
        "entry_point": problem.entry_point,
        "blocks": blocks,
    }
    runs = run_tests_boxed(order, seconds)
    tests = runs.first
    base: dict[str, Any] = {"layer": tests.layer, "note": tests.note, "seconds": tests.seconds}
    for run in filter(None, runs[:2]):
        if run.outcome == "refused":
            return TestRun(**base, refused=run.error or "the code was not run")
    report = _object(tests.stderr)
    if not report:
        reason = tests.error or f"the tests did not come to an end ({tests.outcome})"
        return TestRun(**base, given=problem.tests is not None, broken=reason)
    return _with_lost(TestRun.model_validate(report | base), runs, problem.tests is not None)


def _with_lost(trial: TestRun, runs: ConnectedRuns, given: bool) -> TestRun:
    """Count the check during which the program ended: failed, or undecided when it ended because
    it had too little time."""
    if trial.lost is None or runs.second is None:
        return trial
    trial = trial.model_copy(update={"given": given})
    reason = f"{trial.lost}: {_ending(runs.second)}"
    if runs.second.outcome == "timeout" and not runs.is_busy:
        reason += ", and waited most of its time"
        return trial.model_copy(
            update={"undecided": max(1, trial.undecided), "open": (reason, *trial.open)}
        )
    return trial.model_copy(
        update={"failed": trial.failed + 1, "failures": (*trial.failures, reason)}
    )


def _ending(run: ProgramRun) -> str:
    if run.outcome == "timeout":
        return "TimeoutError: the program did not end in time"
    return f"the program {_ENDINGS.get(run.outcome, 'ended without a result')}"


def _object(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
