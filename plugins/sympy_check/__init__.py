"""Checks mathematics: equality with the known answer, else the arithmetic the steps state.

Everything a model wrote, and the expected answer too, is read in a warm child process that is
limited in memory and killed when late; nothing of it is ever evaluated as code.

A question that is nothing but a sum is settled by its value. Else a PASS without a known answer
means: at least one stated equation was confirmed, none is wrong, and the final answer is the value
of a confirmed one. It does not mean that the equations were the right ones to set up.
"""

import atexit
import time
from collections.abc import Sequence

from pydantic import JsonValue

from reasoner.answers.extraction import extract_unambiguous_answer, without_code
from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.sandbox.worker_process import WorkerFailed, WorkerPool
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict
from sympy_check.asked import asked_sum

__all__ = [
    "NAME",
    "check_step",
    "close",
    "compare",
    "compare_answers",
    "health",
    "is_deterministic",
    "verify",
    "verify_step",
]

NAME = "sympy_check"
MEMORY = 1 << 30
MAX_TEXT = 400_000

_workers = WorkerPool(f"{__name__}.worker", MEMORY)
atexit.register(_workers.close)


def compare(
    expected: str, answer: str, seconds: float = 5.0, places: int = 6
) -> tuple[Outcome, str]:
    """Whether `said` equals `expected` mathematically: pass, fail or unknown, and why.

    A decimal equals the value it rounds when it shows at least `places` decimals; with fewer the
    two are left undecided. Both may be hostile; what cannot be decided in `seconds` is unknown.
    """
    if expected.strip() and expected.strip() == answer.strip():
        return Outcome.PASS, "the answer is the expected one, letter for letter"
    try:
        sides = {"gold": expected[:MAX_TEXT], "said": answer[:MAX_TEXT]}
        reply = _workers.ask({"task": "compare", "places": places, **sides}, seconds)
    except WorkerFailed as failure:
        return Outcome.UNKNOWN, f"could not be decided: {failure}"
    relation, reason = reply.get("relation"), reply.get("reason") or reply.get("error")
    if relation == "equal":
        return Outcome.PASS, "the answer equals the expected one"
    if relation == "different":
        return Outcome.FAIL, "the answer differs from the expected one"
    return Outcome.UNKNOWN, f"could not be decided: {reason}"


def check_step(text: str, seconds: float = 1.0) -> Verdict:
    """Whether one step's stated equalities hold, for a search that prunes: about 1 ms when warm.

    PASS: at least one was confirmed and none is wrong. FAIL: one is surely wrong. UNKNOWN: there
    is nothing to check, or too little time. It says nothing about the step being a good one.
    """
    reply = _ask_arithmetic((text,), None, "", seconds)
    if isinstance(reply, str):
        return _verdict(Outcome.UNKNOWN, reply)
    return _refuted(reply) or _holding(reply)


@hookimpl
def verify(problem: Problem, submission: Submission, seconds: float) -> Verdict | None:
    """Compare with the expected answer when there is one, or with the value of the sum that was
    asked for; else check the stated arithmetic."""
    began = time.monotonic()
    if problem.expect is not None:
        verdict = _against(problem.expect, submission, seconds)
    else:
        asked = _asked(problem.question, submission, seconds)
        verdict = asked or _arithmetic(problem.question, submission, seconds)
    return verdict.model_copy(update={"seconds": time.monotonic() - began})


@hookimpl
def verify_step(text: str, seconds: float) -> Verdict | None:
    """Fail a step that states something wrong; None when it states nothing to check."""
    began = time.monotonic()
    verdict = check_step(text, seconds)
    if verdict.outcome is Outcome.UNKNOWN:
        return None
    return verdict.model_copy(update={"seconds": time.monotonic() - began})


@hookimpl
def compare_answers(expected: str, answer: str, seconds: float) -> tuple[Outcome, str]:
    """Decide whether two answers are mathematically equal; see `compare`."""
    return compare(expected, answer, seconds)


@hookimpl
def is_deterministic() -> bool:
    """Return True: a verdict depends on the arguments only."""
    return True


@hookimpl
def health() -> dict[str, JsonValue]:
    """Start a worker and have it decide one equality."""
    began = time.monotonic()
    try:
        reply = _workers.ask({"task": "warm"}, 30)
    except WorkerFailed as failure:
        return {"ok": False, "detail": f"the worker does not start: {failure}"}
    took = time.monotonic() - began
    if reply.get("relation") != "equal":
        return {"ok": False, "detail": str(reply.get("error", "a known equality was not found"))}
    detail = f"worker answers in {took:.2f} s, {MEMORY >> 20} MiB at most, {reply['confined']}"
    return {"ok": True, "detail": detail}


@hookimpl
def close() -> None:
    """End the workers."""
    _workers.close()


def _against(expect: str, submission: Submission, seconds: float) -> Verdict:
    if submission.final is None:
        return _verdict(Outcome.UNKNOWN, "no final answer to compare with the expected one")
    outcome, reason = compare(expect, submission.final, seconds)
    evidence: dict[str, JsonValue] = {"expected": expect[:500], "answer": submission.final[:500]}
    return _verdict(outcome, reason, evidence)


def _asked(question: str, submission: Submission, seconds: float) -> Verdict | None:
    """Where the question is a sum, whether the answer is its value; None if that is not clear."""
    wanted = asked_sum(question)
    if wanted is None or submission.final is None:
        return None
    right = compare(wanted, submission.final, seconds)[0] is Outcome.PASS
    said = submission.final if right else extract_unambiguous_answer(submission.answer)
    if said is None:
        return None
    evidence: dict[str, JsonValue] = {"asked": wanted, "answer": said[:500]}
    if right:
        verdict = _verdict(Outcome.PASS, f"{wanted} is {said[:80]}", evidence)
        return verdict.model_copy(update={"settles": True})
    if compare(wanted, said, seconds)[0] is Outcome.FAIL:
        return _verdict(Outcome.FAIL, f"{wanted} is not {said[:80]}", evidence)
    return None


def _arithmetic(question: str, submission: Submission, seconds: float) -> Verdict:
    texts = (*submission.steps, submission.answer)
    reply = _ask_arithmetic(texts, submission.final, question, seconds)
    if isinstance(reply, str):
        return _verdict(Outcome.UNKNOWN, reply)
    if (refuted := _refuted(reply)) is not None:
        return refuted
    held = _holding(reply)
    if held.outcome is not Outcome.PASS:
        return held
    if reply["backing"] is None:
        reason = f"{held.reason}, none gives the final answer"
        return _verdict(Outcome.UNKNOWN, reason, held.evidence)
    reason = f"{held.reason}; {reply['backing']} gives the answer"
    return _verdict(Outcome.PASS, reason, held.evidence)


def _ask_arithmetic(
    texts: Sequence[str], final: str | None, question: str, seconds: float
) -> dict[str, JsonValue] | str:
    """The worker's findings, or why there are none."""
    bounded: list[JsonValue] = []
    room = MAX_TEXT
    for text in texts:
        bounded.append(without_code(text[:room]))
        room = max(0, room - len(text))
    request: dict[str, JsonValue] = {"task": "arithmetic", "texts": bounded, "final": final}
    try:
        reply = _workers.ask(request | {"question": question[:MAX_TEXT]}, seconds)
    except WorkerFailed as failure:
        return f"the arithmetic could not be checked: {failure}"
    if "error" in reply:
        return f"the arithmetic could not be checked: {reply['error']}"
    return reply


def _refuted(reply: dict[str, JsonValue]) -> Verdict | None:
    holding, wrong = int(str(reply["holding"])), int(str(reply["wrong"]))
    equations = reply["equations"]
    if not wrong or not isinstance(equations, list) or not isinstance(equations[0], dict):
        return None
    first = equations[0]
    counted = f"{wrong} of {holding + wrong} equations are wrong"
    reason = f"{counted}: {first['text']} ({first['value']})"
    return _verdict(Outcome.FAIL, reason, {"equations": equations})


def _holding(reply: dict[str, JsonValue]) -> Verdict:
    holding = int(str(reply["holding"]))
    if not holding:
        return _verdict(Outcome.UNKNOWN, "no equations to check")
    reason = f"{holding} of {holding} equations hold"
    return _verdict(Outcome.PASS, reason, {"equations": reply["equations"]})


def _verdict(
    outcome: Outcome, reason: str, evidence: dict[str, JsonValue] | None = None
) -> Verdict:
    scores = {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}
    return Verdict(
        verifier=NAME,
        outcome=outcome,
        score=scores.get(outcome),
        reason=" ".join(reason.split()),
        evidence=evidence or {},
    )
