"""From how a program ran and what the tests said to a verdict.

The verdict's score orders candidates: passes tests, passes examples, passes its own checks, runs,
fails some tests, does not run, is no Python; doubtful lines and slowness break ties.
"""

from collections.abc import Callable

from pydantic import JsonValue

from reasoner.plugins.python_sandbox.execution import Run
from reasoner.plugins.python_sandbox.layers import UNCONFINED
from reasoner.plugins.python_sandbox.probe import chosen
from reasoner.plugins.python_sandbox.program import constants
from reasoner.plugins.python_sandbox.trial import Trial
from reasoner.problem import Problem
from reasoner.verdict import Candidate, Outcome, Verdict

__all__ = ["NAME", "Compare", "by_calls", "judge", "verdict"]

Compare = Callable[[str, str], tuple[Outcome, str]]
"""Takes the expected and the given answer; returns PASS, FAIL or UNKNOWN, and the reason."""
NAME = "python_sandbox"
TAIL = 2000
_REASONS = {
    "timeout": "the program did not end in time",
    "memory": "the program ran out of memory",
    "output": "the program printed too much",
    "disk": "the program wrote too much",
    "exit": "the program left before its end",
    "signal": "the program crashed the interpreter",
}
_NOT_ITS_FAULT = {"EOFError", "ModuleNotFoundError", "PermissionError", "FileNotFoundError"}
"""What a sound program raises for lack of input, packages, files or rights in here."""


def judge(
    problem: Problem, submission: Candidate, code: str, run: Run, trial: Trial, compare: Compare
) -> Verdict:
    if run.outcome == "refused":
        return verdict(Outcome.UNKNOWN, run.error or "the code was not run", run, trial=trial)
    if run.outcome == "syntax":
        return verdict(Outcome.FAIL, run.error or "it is no Python", run, 0.0, trial)
    if run.outcome not in ("ok", "error"):
        return verdict(Outcome.FAIL, _REASONS[run.outcome], run, 0.1, trial)
    return _tested(run, trial) or _ran(problem, submission, code, run, trial, compare)


def _tested(run: Run, trial: Trial) -> Verdict | None:
    """By the tests and examples somebody else wrote; None when there are none that speak."""
    what = "tests" if trial.given else "examples"
    if trial.failed:
        reason = f"{trial.failed} of {trial.total} {what} fail: {'; '.join(trial.failures[:1])}"
        score = 0.3 + 0.5 * trial.passes / trial.total
        return verdict(Outcome.FAIL, reason, run, score, trial)
    if trial.broken:
        return verdict(Outcome.UNKNOWN, trial.broken, run, 0.5, trial)
    if trial.undecided:
        reason = f"{trial.undecided} of {trial.total} {what} undecided"
        detail = ": " + trial.open[0] if trial.open else ""
        return verdict(Outcome.UNKNOWN, reason + detail, run, 0.7, trial)
    if not trial.passes:
        return None
    reason = f"{trial.passes} of {trial.total} {what} pass"
    score = (1.0 if trial.given else 0.9) if trial.apart else 0.8
    if run.outcome == "error":
        reason, score = f"{reason}; then it fails: {run.error}", score - 0.2
    return verdict(Outcome.PASS, reason, run, score, trial)


def _ran(
    problem: Problem, submission: Candidate, code: str, run: Run, trial: Trial, compare: Compare
) -> Verdict:
    """By how the program itself went."""
    if run.kind in _NOT_ITS_FAULT:
        reason = f"it needs what the sandbox lacks: {run.error}"
        return verdict(Outcome.UNKNOWN, reason, run, 0.4, trial)
    if run.outcome == "error":
        return verdict(Outcome.FAIL, run.error or "the program failed", run, 0.2, trial)
    if run.failed:
        reason = f"{run.failed} of {run.tried} doctests fail"
        return verdict(Outcome.FAIL, reason, run, 0.3, trial)
    if problem.expect is not None:
        return _against(problem.expect, submission, run, trial, compare)
    return _by_itself(submission, code, run, trial, compare)


def _against(
    expect: str, submission: Candidate, run: Run, trial: Trial, compare: Compare
) -> Verdict:
    """The last line it printed against the expected answer, out here."""
    if not (line := _last_line(run)):
        reason = "runs without error and prints nothing to compare"
        return verdict(Outcome.UNKNOWN, reason, run, 0.5, trial)
    outcome, reason = compare(expect, line)
    if outcome is Outcome.PASS:
        reason = "the last line it prints equals the expected answer"
        return verdict(outcome, reason, run, 1.0, trial)
    if outcome is Outcome.FAIL and submission.final is None:
        reason = "the last line it prints differs from the expected answer"
        return verdict(outcome, reason, run, 0.3, trial)
    reason = f"runs without error; its last line: {reason}"
    return verdict(Outcome.UNKNOWN, reason, run, 0.5, trial)


def _by_itself(
    submission: Candidate, code: str, run: Run, trial: Trial, compare: Compare
) -> Verdict:
    """By its own assertions, doctests and output."""
    passed = []
    if run.asserts:
        passed.append(f"{run.asserts} assertion{'s' * (run.asserts > 1)} hold")
    if run.tried:
        passed.append(f"{run.tried} doctest{'s' * (run.tried > 1)} pass")
    if passed:
        reason = f"runs without error; {' and '.join(passed)}"
        return verdict(Outcome.PASS, reason, run, 0.7, trial)
    if _prints(submission.final, code, run, compare):
        reason = "the program computes the final answer and prints it"
        return verdict(Outcome.PASS, reason, run, 0.7, trial)
    return verdict(Outcome.UNKNOWN, "runs without error; nothing in it tests it", run, 0.6, trial)


def by_calls(problem: Problem, submission: Candidate, compare: Compare) -> Verdict | None:
    """By what the programs printed that ran in the middle of the thought; None when that does not
    settle anything."""
    calls = [call for call in submission.calls if call.tool == "python" and call.ok]
    if not calls or problem.expect is not None:
        return None
    code = "\n".join(call.text for call in calls)
    layer = chosen().layer
    run = Run(
        outcome="ok",
        stdout=calls[-1].output,
        seconds=calls[-1].seconds,
        layer=layer.name if layer else "",
    )
    if not _prints(submission.final, code, run, compare):
        return None
    reason = "a program it ran while thinking computes the final answer"
    return verdict(Outcome.PASS, reason, run, 0.7)


def _prints(final: str | None, code: str, run: Run, compare: Compare) -> bool:
    """Whether the last line printed is the final answer, and not just spelled out in the code."""
    line = _last_line(run)
    if not line or final is None or constants(final) & constants(code) or final in code:
        return False
    said = line.rpartition(":")[2].strip() if ":" in line else line
    return any(
        compare(final, text)[0] is Outcome.PASS for text in dict.fromkeys((line, said)) if text
    )


def _last_line(run: Run) -> str:
    lines = run.stdout.strip().splitlines()
    return lines[-1].strip()[:TAIL] if lines else ""


def verdict(
    outcome: Outcome, reason: str, run: Run, score: float | None = None, trial: Trial | None = None
) -> Verdict:
    trial = trial or Trial()
    if score is not None:  # ties go to the cleaner and the faster program
        score = max(0.0, score - 0.02 * min(3, len(trial.lints)) - 0.002 * min(10.0, run.seconds))
    if run.layer == UNCONFINED.name:
        reason = f"{UNCONFINED.note}: {reason}"
    return Verdict(
        verifier=NAME,
        outcome=outcome,
        score=score,
        reason=" ".join(reason.split())[:300],
        evidence=_evidence(run, trial),
    )


def _evidence(run: Run, trial: Trial) -> dict[str, JsonValue]:
    """The list of checks on code, each a field, and what a person needs to repeat them."""
    refused = run.outcome == "refused"
    return {
        "python": trial.python if refused else run.outcome != "syntax",
        "lints": list(trial.lints),
        "runs": None if refused else run.outcome == "ok",
        "tests": "given" if trial.given else "examples" if trial.total else None,
        "passes": trial.passes,
        "failed": trial.failed,
        "undecided": trial.undecided,
        "failures": list(trial.failures),
        "apart": trial.apart if trial.total else None,
        "seconds": round(run.seconds, 4),
        "test_seconds": round(trial.seconds, 4),
        "asserts": run.asserts,
        "doctests": run.tried,
        "layer": run.layer or None,
        "layer_note": run.note or None,
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "stdout": run.stdout[-TAIL:],
        "stderr": run.stderr[-TAIL:],
    }
