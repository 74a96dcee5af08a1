"""Checks number puzzles: does the reply's formula use the given numbers and reach the target?

It speaks only where the question is Countdown or a Game of 24. PASS: every number as often as it
was given (fewer where the question allows that), and exactly the target; that settles the question.
The formula is read by a parser of its own over exact fractions; nothing is evaluated as code.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue

from reasoner.plugins.number_puzzle.formula import MAX_LENGTH, Formula, NotAFormula, read
from reasoner.plugins.number_puzzle.frame import describe_environment
from reasoner.plugins.number_puzzle.puzzle import Puzzle, recognise
from reasoner.problem import Problem
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.extract import extract_stated
from reasoner.verify.hookspecs import hookimpl

__all__ = ["NAME", "describe_environment", "health", "verify"]

NAME = "number_puzzle"
MAX_LINES = 400
_TAG = re.compile(r"<answer>([^<]{1,300})</answer>")
_CHUNK = re.compile(
    r"(?:[-\d+*/().\[\]{}\s×÷·⋅−–$xX]|\\(?:times|cdot|div|[dtc]?frac|left|right|[,;! ()\[\]]))+"
)
_LABEL = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)")


@hookimpl
def verify(problem: Problem, submission: Candidate) -> Verdict | None:
    """Judge the formula a reply ends with; None when the question is no number puzzle."""
    began = time.monotonic()
    puzzle = recognise(problem.question)
    if puzzle is None:
        return None
    formula = _final(submission) or _written(submission.answer, puzzle)
    verdict = _judge(formula, puzzle) if formula else _without(submission.answer, puzzle)
    proof = verdict.outcome is Outcome.PASS
    return verdict.model_copy(update={"settles": proof, "seconds": time.monotonic() - began})


@hookimpl
def health() -> dict[str, JsonValue]:
    """Solve one known puzzle."""
    puzzle = recognise("Use 3 3 8 8 to make 24")
    ok = puzzle is not None and _judge(read("8/(3-8/3)"), puzzle).outcome is Outcome.PASS
    return {"ok": ok, "detail": "reads formulas itself, over exact fractions"}


def _final(submission: Candidate) -> Formula | None:
    """The formula that is the reply's final answer."""
    tags = _TAG.findall(submission.answer[-20_000:])
    for text in (*tags[-1:], submission.final or ""):
        if (formula := _formula(text)) is not None:
            return formula
    return None


def _written(answer: str, puzzle: Puzzle) -> Formula | None:
    """The last formula in the reply that uses just the given numbers."""
    for line in reversed(answer.splitlines()[-MAX_LINES:]):
        for chunk in reversed(list(_chunks(_LABEL.sub("", line[:2000])))):
            formula = _formula(chunk)
            if formula is not None and sorted(formula.numbers) == sorted(puzzle.numbers):
                return formula
    return None


def _chunks(line: str) -> Iterator[str]:
    for match in _CHUNK.finditer(line):
        chunk = match[0].strip(" .$\\xX")
        if 3 <= len(chunk) <= MAX_LENGTH:
            yield chunk


def _formula(text: str) -> Formula | None:
    """A text as a formula with at least one operation; `= 24` may follow or precede it."""
    for side in text[: 2 * MAX_LENGTH].split("="):
        try:
            formula = read(side.strip().strip("$`").rstrip("."))
        except NotAFormula:
            continue
        if len(formula.numbers) > 1:
            return formula
    return None


def _without(answer: str, puzzle: Puzzle) -> Verdict:
    """No formula of the given numbers. Who states another number than the target is refuted; the
    target alone proves nothing, and sound sums on the way to it say nothing of the puzzle, hence
    the score."""
    stated = (extract_stated(answer) or "").strip("$. ")
    if re.fullmatch(r"-?\d{1,9}", stated, re.ASCII) and int(stated) != puzzle.target:
        reason = f"the answer is {stated}, not {puzzle.target}"
        return _verdict(Outcome.FAIL, reason, puzzle)
    shown = " ".join(map(str, puzzle.numbers))
    verdict = _verdict(Outcome.UNKNOWN, f"no formula of {shown} to check", puzzle)
    return verdict.model_copy(update={"score": 0.0})


def _judge(formula: Formula, puzzle: Puzzle) -> Verdict:
    if formula.value is None:
        return _verdict(Outcome.FAIL, f"{formula.text} divides by zero", puzzle, formula)
    if formula.value != puzzle.target:
        reason = f"{formula.text} is {formula.value}, not {puzzle.target}"
        return _verdict(Outcome.FAIL, reason, puzzle, formula)
    used, given = Counter(formula.numbers), Counter(puzzle.numbers)
    shown = " ".join(map(str, puzzle.numbers))
    if used - given or (given - used and puzzle.all_used):
        reason = f"{formula.text} is {puzzle.target} but does not use just {shown}"
        return _verdict(Outcome.FAIL, reason, puzzle, formula)
    if given - used and puzzle.all_used is None:
        reason = f"{formula.text} is {puzzle.target} but leaves some of {shown} out"
        return _verdict(Outcome.UNKNOWN, reason, puzzle, formula)
    return _verdict(
        Outcome.PASS, f"{formula.text} is {puzzle.target} and uses {shown}", puzzle, formula
    )


def _verdict(
    outcome: Outcome, reason: str, puzzle: Puzzle, formula: Formula | None = None
) -> Verdict:
    evidence: dict[str, JsonValue] = {"numbers": list(puzzle.numbers), "target": puzzle.target}
    if formula is not None:
        evidence |= {"formula": formula.text, "value": str(formula.value)}
    scores = {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}
    return Verdict(
        verifier=NAME,
        outcome=outcome,
        score=scores.get(outcome),
        reason=reason,
        evidence=evidence,
    )
