"""Runs the Python that a reply holds, in the strongest sandbox there is, and says how it went.

What a PASS means, strongest first: the given tests hold; the examples in the question hold; or
the program ran to its end, and something of its own that could have failed did not: an assertion
which was reached, a doctest, or printed output that gives the final answer without the program
spelling it out. Tests and examples run apart from the program and cannot be forged by it (see
`trial`). Its own checks the model wrote too, and a hostile program can report whatever it likes,
so a PASS by those is evidence about an honest program and nothing more. A known answer never
goes into the sandbox: it is compared outside.
"""

import time

from pydantic import JsonValue

from reasoner.plugins.python_sandbox.judge import NAME, by_calls, judge, verdict
from reasoner.plugins.python_sandbox.program import MAX_CODE, programs
from reasoner.plugins.python_sandbox.run import Run, run_python
from reasoner.plugins.python_sandbox.tool import tools, use
from reasoner.plugins.python_sandbox.trial import survey, try_out
from reasoner.problem import Problem
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.hookspecs import hookimpl

__all__ = [
    "NAME",
    "Run",
    "close",
    "health",
    "lasting",
    "permit",
    "run_python",
    "tools",
    "use",
    "verify",
]


@hookimpl
def verify(problem: Problem, candidate: Candidate, seconds: float) -> Verdict | None:
    """Run the candidate's code; None when it has none and none was asked for."""
    codes = programs(candidate.code)
    if not codes:
        return _without_code(problem) or by_calls(problem, candidate, seconds)
    began = time.monotonic()
    if any(len(code) > MAX_CODE for code in codes):
        return verdict(Outcome.UNKNOWN, "the code is too long to run", Run(outcome="refused"))
    for number, code in enumerate(codes):
        left = seconds - (time.monotonic() - began)
        looked = survey(problem, code, left / 2)
        left = seconds - (time.monotonic() - began)
        share = 0.5 if looked.calls or looked.together else 0.75
        whole = code if "from __future__" in code else f"{looked.prelude}\n{code}".lstrip("\n")
        run = run_python(whole, seconds=max(0.5, left if number else left * share))
        if run.outcome in ("ok", "refused", "timeout"):
            break
    trial = looked
    if run.outcome in ("ok", "error"):
        trial = try_out(problem, code, looked, max(0.5, seconds - (time.monotonic() - began)))
    left = seconds - (time.monotonic() - began)
    judged = judge(problem, candidate, code, run, trial, left)
    return judged.model_copy(update={"seconds": time.monotonic() - began})


def _without_code(problem: Problem) -> Verdict | None:
    if problem.tests is None:
        return None
    nothing = Run(outcome="refused")
    return verdict(Outcome.FAIL, "the reply holds no Python for the tests", nothing, 0.0)


@hookimpl
def permit(unsafe_exec: bool) -> None:
    """Run code also where no layer is strong enough, or refuse to."""
    from reasoner.plugins.python_sandbox.probe import permit_unsafe

    permit_unsafe(unsafe_exec)


@hookimpl
def lasting() -> bool:
    return True


@hookimpl
def health() -> dict[str, JsonValue]:
    """The layer in use, what its self-test found, and why stronger ones are not used."""
    from reasoner.plugins.python_sandbox.probe import chosen

    choice = chosen()
    name = choice.layer.name if choice.layer else None
    gaps = choice.layer.gaps if choice.layer else ()
    known = f"; known gaps: {', '.join(gaps) or 'none'}" if choice.layer else ""
    return {
        "ok": choice.layer is not None and choice.strong,
        "detail": (f"{name}: {choice.detail}" if name else choice.detail) + known,
        "layer": name,
        "gaps": list(gaps),
        "passed_over": dict(choice.tried),
    }


@hookimpl
def close() -> None:
    """End the jails that wait for a program."""
    from reasoner.plugins.python_sandbox import pool

    pool.close()
