"""Runs the Python that a reply holds, in the strongest sandbox there is, and says how it went.

What a PASS means: the program ran to its end, and something in it that could have failed did
not. That is an assertion which was reached, a doctest, or printed output that gives the final
answer without the program spelling it out. The model wrote the tests too, and a hostile program
can report whatever it likes, so a PASS is evidence about an honest program and nothing more. A
known answer never goes into the sandbox: it is compared outside.
"""

import time

from pydantic import JsonValue

from reasoner.plugins.python_sandbox.program import MAX_CODE, constants, programs
from reasoner.plugins.python_sandbox.run import Run, run_python
from reasoner.problem import Problem
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.hookspecs import hookimpl

__all__ = ["NAME", "Run", "health", "run_python", "verify"]

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


@hookimpl
def verify(problem: Problem, candidate: Candidate, seconds: float) -> Verdict | None:
    """Run the candidate's code; None when it has none."""
    codes = programs(candidate.code)
    if not codes:
        return None
    began = time.monotonic()
    if any(len(code) > MAX_CODE for code in codes):
        return _verdict(Outcome.UNKNOWN, "the code is too long to run", Run(outcome="refused"))
    for number, code in enumerate(codes):
        left = seconds - (time.monotonic() - began)
        run = run_python(code, seconds=max(0.5, left if number else left * 0.75))
        if run.outcome in ("ok", "refused", "timeout"):
            break
    verdict = _judge(problem, candidate, code, run, seconds - (time.monotonic() - began))
    return verdict.model_copy(update={"seconds": time.monotonic() - began})


@hookimpl
def health() -> dict[str, JsonValue]:
    """The layer in use, what its self-test found, and why stronger ones are not used."""
    from reasoner.plugins.python_sandbox.probe import chosen

    choice = chosen()
    name = choice.layer.name if choice.layer else None
    return {
        "ok": choice.layer is not None and choice.strong,
        "detail": f"{name}: {choice.detail}" if name else choice.detail,
        "layer": name,
        "gaps": list(choice.layer.gaps) if choice.layer else [],
        "passed_over": dict(choice.tried),
    }


def _judge(problem: Problem, candidate: Candidate, code: str, run: Run, left: float) -> Verdict:
    if run.outcome == "refused":
        return _verdict(Outcome.UNKNOWN, run.error or "the code was not run", run)
    if run.kind in _NOT_ITS_FAULT:
        return _verdict(Outcome.UNKNOWN, f"it needs what the sandbox lacks: {run.error}", run)
    if run.outcome in ("error", "syntax"):
        return _verdict(Outcome.FAIL, run.error or "the program failed", run)
    if run.outcome != "ok":
        return _verdict(Outcome.FAIL, _REASONS[run.outcome], run)
    if run.failed:
        return _verdict(Outcome.FAIL, f"{run.failed} of {run.tried} doctests fail", run)
    if problem.expect is not None:
        return _against(problem.expect, candidate, run, left)
    return _tested(candidate, code, run, left)


def _against(expect: str, candidate: Candidate, run: Run, left: float) -> Verdict:
    """The last line it printed against the expected answer, out here."""
    from reasoner.plugins.sympy_check import compare

    if not (line := _last_line(run)):
        return _verdict(Outcome.UNKNOWN, "runs without error and prints nothing to compare", run)
    outcome, reason = compare(expect, line, max(0.5, left))
    if outcome is Outcome.PASS:
        return _verdict(outcome, "the last line it prints equals the expected answer", run)
    if outcome is Outcome.FAIL and candidate.final is None:
        return _verdict(outcome, "the last line it prints differs from the expected answer", run)
    return _verdict(Outcome.UNKNOWN, f"runs without error; its last line: {reason}", run)


def _tested(candidate: Candidate, code: str, run: Run, left: float) -> Verdict:
    passed = []
    if run.asserts:
        passed.append(f"{run.asserts} assertion{'s' * (run.asserts > 1)} hold")
    if run.tried:
        passed.append(f"{run.tried} doctest{'s' * (run.tried > 1)} pass")
    if passed:
        return _verdict(Outcome.PASS, f"runs without error; {' and '.join(passed)}", run)
    if _prints(candidate.final, code, run, left):
        return _verdict(Outcome.PASS, "the program computes the final answer and prints it", run)
    return _verdict(Outcome.UNKNOWN, "runs without error; nothing in it tests it", run)


def _prints(final: str | None, code: str, run: Run, left: float) -> bool:
    """Whether the last line printed is the final answer, and not just spelled out in the code."""
    from reasoner.plugins.sympy_check import compare

    line = _last_line(run)
    if not line or final is None or constants(final) & constants(code) or final in code:
        return False
    said = line.rpartition(":")[2].strip() if ":" in line else line
    return any(
        compare(final, text, max(0.5, left))[0] is Outcome.PASS
        for text in dict.fromkeys((line, said))
        if text
    )


def _last_line(run: Run) -> str:
    lines = run.stdout.strip().splitlines()
    return lines[-1].strip()[:TAIL] if lines else ""


def _verdict(outcome: Outcome, reason: str, run: Run) -> Verdict:
    scores = {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}
    evidence: dict[str, JsonValue] = {
        "layer": run.layer or None,
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "stdout": run.stdout[-TAIL:],
        "stderr": run.stderr[-TAIL:],
        "asserts": run.asserts,
        "doctests": run.tried,
    }
    return Verdict(
        verifier=NAME,
        outcome=outcome,
        score=scores.get(outcome),
        reason=" ".join(reason.split())[:300],
        evidence=evidence,
    )
