"""Computing the verdict from the run of a program and the results of its tests.

The verdict's score orders candidates, from high to low: passes tests, passes examples, passes its
own checks, runs, fails some tests, does not run, is not Python. Lint findings and run time break
ties.
"""

import re
from collections.abc import Callable, Sequence

from pydantic import JsonValue

from python_sandbox.execution import ProgramRun, RunOutcome
from python_sandbox.layers import UNCONFINED
from python_sandbox.probe import choose_layer
from python_sandbox.program import literal_numbers
from python_sandbox.test_run import TestRun
from reasoner.answers.extraction import extract_marked_answer
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = [
    "NAME",
    "CompareWithLimit",
    "build_verdict",
    "judge_program",
    "judge_tests",
    "judge_tool_calls",
]

CompareWithLimit = Callable[[str, str], tuple[Outcome, str]]
"""Takes the expected and the given answer; returns PASS, FAIL or UNKNOWN, and the reason."""
NAME = "python_sandbox"
MAX_STREAM_CHARACTERS = 2000
_REASONS = {
    "timeout": "the program did not end in time",
    "memory": "the program ran out of memory",
    "output": "the program printed too much",
    "disk": "the program wrote too much",
    "exit": "the program left before its end",
    "signal": "the program crashed the interpreter",
}
_LABEL = re.compile(
    r"(?:[A-Za-z][A-Za-z' ]{0,60})\b(?:is|are|equals|=)\s+([^A-Za-z\s][^A-Za-z]*)\.?"
)
_MISSING_RESOURCE_ERRORS = {
    "EOFError",
    "ImportError",
    "ModuleNotFoundError",
    "PermissionError",
    "FileNotFoundError",
}
"""Exceptions that a correct program raises because the sandbox lacks something."""


def judge_tests(trial: TestRun) -> Verdict | None:
    """Return the verdict by given tests and the question's examples; None when there are none."""
    run = _load_record(trial)
    if trial.refused:
        return build_verdict(Outcome.UNKNOWN, trial.refused, run, trial=trial)
    if trial.python is False:
        return build_verdict(Outcome.FAIL, trial.error or "it is no Python", run, 0.0, trial)
    kind = "tests" if trial.given else "examples"
    if trial.failed:
        reason = f"{trial.failed} of {trial.total} {kind} fail: {'; '.join(trial.failures[:1])}"
        score = 0.3 + 0.5 * trial.passes / trial.total
        return build_verdict(Outcome.FAIL, reason, run, score, trial)
    if trial.broken and trial.given:
        return build_verdict(Outcome.UNKNOWN, trial.broken, run, 0.5, trial)
    if trial.undecided:
        reason = f"{trial.undecided} of {trial.total} {kind} undecided"
        detail = ": " + trial.open[0] if trial.open else ""
        return build_verdict(Outcome.UNKNOWN, reason + detail, run, 0.7, trial)
    return _passed_verdict(trial, run, kind) if trial.passes else None


def _passed_verdict(trial: TestRun, run: ProgramRun, kind: str) -> Verdict:
    reason = f"{trial.passes} of {trial.total} {kind} pass"
    score = 1.0 if trial.given else 0.9
    if run.outcome == "error":
        reason, score = f"{reason}; then it fails: {run.error}", score - 0.2
    return build_verdict(Outcome.PASS, reason, run, score, trial)


def _load_record(trial: TestRun) -> ProgramRun:
    """Return the record of loading a program for its tests."""
    outcome: RunOutcome = "ok"
    if trial.refused:
        outcome = "refused"
    elif trial.python is False:
        outcome = "syntax"
    elif trial.error:
        outcome = "error"
    return ProgramRun(
        outcome=outcome,
        error=trial.error,
        seconds=trial.seconds,
        layer=trial.layer,
        note=trial.note,
    )


def judge_program(
    problem: Problem, submission: Submission, code: str, run: ProgramRun, compare: CompareWithLimit
) -> Verdict:
    """Return the verdict on a program by its own run.

    `compare` decides whether its output equals the expected answer.
    """
    if run.outcome == "refused":
        return build_verdict(Outcome.UNKNOWN, run.error or "the code was not run", run)
    if run.outcome == "syntax":
        return build_verdict(Outcome.FAIL, run.error or "it is no Python", run, 0.0)
    if run.outcome not in ("ok", "error"):
        # a limit of the sandbox proves nothing: a right program may need more
        outcome = Outcome.FAIL if run.outcome in ("exit", "signal") else Outcome.UNKNOWN
        return build_verdict(outcome, _REASONS[run.outcome], run, 0.1)
    return _run_verdict(problem, submission, code, run, compare)


def _run_verdict(
    problem: Problem,
    submission: Submission,
    code: str,
    run: ProgramRun,
    compare: CompareWithLimit,
) -> Verdict:
    """Judge by how the program itself ran."""
    if run.kind in _MISSING_RESOURCE_ERRORS:
        reason = f"it needs what the sandbox lacks: {run.error}"
        return build_verdict(Outcome.UNKNOWN, reason, run, 0.4)
    if run.outcome == "error":
        return build_verdict(Outcome.FAIL, run.error or "the program failed", run, 0.2)
    if run.failed:
        reason = f"{run.failed} of {run.tried} doctests fail"
        return build_verdict(Outcome.FAIL, reason, run, 0.3)
    if problem.expect is not None:
        return _expected_verdict(problem.expect, submission, run, compare)
    return _own_checks_verdict(submission, code, run, compare)


def _expected_verdict(
    expect: str, submission: Submission, run: ProgramRun, compare: CompareWithLimit
) -> Verdict:
    """Compare the last printed line with the expected answer, outside the sandbox."""
    if not (line := _last_line(run)):
        reason = "runs without error and prints nothing to compare"
        return build_verdict(Outcome.UNKNOWN, reason, run, 0.5)
    outcome, reason = compare(expect, line)
    if outcome is Outcome.PASS or _any_equal(expect, _readings(line)[1:], compare):
        outcome = Outcome.PASS
        reason = "the last line it prints equals the expected answer"
        return build_verdict(outcome, reason, run, 1.0)
    if outcome is Outcome.FAIL and submission.final is None:
        reason = "the last line it prints differs from the expected answer"
        return build_verdict(outcome, reason, run, 0.3)
    reason = f"runs without error; its last line: {reason}"
    return build_verdict(Outcome.UNKNOWN, reason, run, 0.5)


def _own_checks_verdict(
    submission: Submission, code: str, run: ProgramRun, compare: CompareWithLimit
) -> Verdict:
    """Judge by the program's own assertions, doctests and output."""
    passed_checks = []
    if run.asserts:
        passed_checks.append(f"{run.asserts} assertion{'s' * (run.asserts > 1)} hold")
    if run.tried:
        passed_checks.append(f"{run.tried} doctest{'s' * (run.tried > 1)} pass")
    if passed_checks:
        reason = f"runs without error; {' and '.join(passed_checks)}"
        return build_verdict(Outcome.PASS, reason, run, 0.7)
    if _prints_answer(submission.final, code, run, compare):
        reason = "the program computes the final answer and prints it"
        return build_verdict(Outcome.PASS, reason, run, 0.7)
    return build_verdict(Outcome.UNKNOWN, "runs without error; nothing in it tests it", run, 0.6)


def judge_tool_calls(
    problem: Problem, submission: Submission, compare: CompareWithLimit
) -> Verdict | None:
    """Judge by the output of the programs that ran during the reasoning.

    Returns None when they do not compute the final answer.
    """
    calls = [call for call in submission.calls if call.tool == "python" and call.ok]
    if not calls or problem.expect is not None:
        return None
    code = "\n".join(call.text for call in calls)
    layer = choose_layer().layer
    run = ProgramRun(
        outcome="ok",
        stdout=calls[-1].output,
        seconds=calls[-1].seconds,
        layer=layer.name if layer else "",
    )
    if not _prints_answer(submission.final, code, run, compare):
        return None
    reason = "a program it ran while thinking computes the final answer"
    return build_verdict(Outcome.PASS, reason, run, 0.7)


def _prints_answer(
    final: str | None, code: str, run: ProgramRun, compare: CompareWithLimit
) -> bool:
    """Return whether the last printed line is the final answer and the code does not contain it."""
    line = _last_line(run)
    if not line or final is None or literal_numbers(final) & literal_numbers(code) or final in code:
        return False
    return _any_equal(final, _readings(line), compare)


def _any_equal(expect: str, texts: Sequence[str], compare: CompareWithLimit) -> bool:
    return any(compare(expect, text)[0] is Outcome.PASS for text in texts)


def _readings(line: str) -> list[str]:
    """Return a printed line, what follows its last colon, and the answer that it marks."""
    after_colon = line.rpartition(":")[2].strip()
    return [text for text in dict.fromkeys((line, after_colon, _marked(line))) if text]


def _marked(line: str) -> str | None:
    """Return the answer of a line such as "The answer is 5"; a few words may stand before it."""
    match = _LABEL.fullmatch(line)
    return match[1] if match else extract_marked_answer(line)


def _last_line(run: ProgramRun) -> str:
    lines = run.stdout.strip().splitlines()
    return lines[-1].strip()[:MAX_STREAM_CHARACTERS] if lines else ""


def build_verdict(
    outcome: Outcome,
    reason: str,
    run: ProgramRun,
    score: float | None = None,
    trial: TestRun | None = None,
) -> Verdict:
    """Build a verdict with its evidence; lint findings and run time lower `score` slightly."""
    trial = trial or TestRun()
    if score is not None:  # ties go to the cleaner and the faster program
        score = max(
            0.0,
            score - 0.02 * min(3, len(trial.lints or run.lints)) - 0.002 * min(10.0, run.seconds),
        )
    if run.layer == UNCONFINED.name:
        reason = f"{UNCONFINED.note}: {reason}"
    return Verdict(
        verifier=NAME,
        outcome=outcome,
        score=score,
        reason=" ".join(reason.split())[:300],
        evidence=_evidence(run, trial),
    )


def _evidence(run: ProgramRun, trial: TestRun) -> dict[str, JsonValue]:
    """Return the result of each check on the code, and what is needed to repeat it."""
    refused = run.outcome == "refused"
    return {
        "python": None if refused else run.outcome != "syntax",
        "lints": list(trial.lints or run.lints),
        "runs": None if refused else run.outcome == "ok",
        "tests": "given" if trial.given else "examples" if trial.total else None,
        "passes": trial.passes,
        "failed": trial.failed,
        "undecided": trial.undecided,
        "failures": list(trial.failures),
        "seconds": round(run.seconds, 4),
        "asserts": run.asserts,
        "doctests": run.tried,
        "layer": run.layer or None,
        "layer_note": run.note or None,
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "stdout": run.stdout[-MAX_STREAM_CHARACTERS:],
        "stderr": run.stderr[-MAX_STREAM_CHARACTERS:],
    }
