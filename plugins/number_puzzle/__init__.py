"""Checks number puzzles: whether a reply's formula uses the given numbers and makes the target.

It applies only to Countdown and the Game of 24. PASS means that every number is used as often as
it was given (less often where the question allows it) and that the value is exactly the target;
this settles the question. The formula is parsed here and never evaluated as code.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue

from number_puzzle.environment import describe_environment
from number_puzzle.formula import (
    MAX_FORMULA_CHARACTERS,
    Formula,
    NotAFormula,
    parse_formula,
)
from number_puzzle.puzzle import PuzzleQuestion, recognise_puzzle
from reasoner.answers.extraction import extract_unambiguous_answer
from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = ["NAME", "describe_environment", "health", "verify"]

NAME = "number_puzzle"
MAX_LINES = 400
_TAG = re.compile(r"<answer>([^<]{1,300})</answer>")
_CHUNK = re.compile(
    r"(?:[-\d+*/().\[\]{}\s×÷·⋅−–$xX]|\\(?:times|cdot|div|[dtc]?frac|left|right|[,;! ()\[\]]))+"
)
_LABEL = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)")


@hookimpl
def verify(problem: Problem, submission: Submission) -> Verdict | None:
    """Check the formula that a reply ends with; None when the question is no number puzzle."""
    began = time.monotonic()
    puzzle = recognise_puzzle(problem.question)
    if puzzle is None:
        return None
    formula = _final(submission) or _last_formula(submission.answer, puzzle)
    verdict = (
        _judge(formula, puzzle) if formula else _verdict_without_formula(submission.answer, puzzle)
    )
    proof = verdict.outcome is Outcome.PASS
    return verdict.model_copy(update={"settles": proof, "seconds": time.monotonic() - began})


@hookimpl
def health() -> dict[str, JsonValue]:
    """Check the solution of one known puzzle."""
    puzzle = recognise_puzzle("Use 3 3 8 8 to make 24")
    ok = puzzle is not None and _judge(parse_formula("8/(3-8/3)"), puzzle).outcome is Outcome.PASS
    return {"ok": ok, "detail": "reads formulas itself, over exact fractions"}


def _final(submission: Submission) -> Formula | None:
    """Return the formula that is the reply's final answer, or None."""
    tags = _TAG.findall(submission.answer[-20_000:])
    for text in (*tags[-1:], submission.final or ""):
        if (formula := _formula(text)) is not None:
            return formula
    return None


def _last_formula(answer: str, puzzle: PuzzleQuestion) -> Formula | None:
    """Return the last formula in the reply that uses exactly the given numbers, or None."""
    for line in reversed(answer.splitlines()[-MAX_LINES:]):
        for chunk in reversed(list(_chunks(_LABEL.sub("", line[:2000])))):
            formula = _formula(chunk)
            if formula is not None and sorted(formula.numbers) == sorted(puzzle.numbers):
                return formula
    return None


def _chunks(line: str) -> Iterator[str]:
    for match in _CHUNK.finditer(line):
        chunk = match[0].strip(" .$\\xX")
        if 3 <= len(chunk) <= MAX_FORMULA_CHARACTERS:
            yield chunk


def _formula(text: str) -> Formula | None:
    """Parse a formula with at least one operation; `= 24` may follow or precede it."""
    for side in text[: 2 * MAX_FORMULA_CHARACTERS].split("="):
        try:
            formula = parse_formula(side.strip().strip("$`").rstrip("."))
        except NotAFormula:
            continue
        if len(formula.numbers) > 1:
            return formula
    return None


def _verdict_without_formula(answer: str, puzzle: PuzzleQuestion) -> Verdict:
    """Return the verdict on a reply without a formula of the given numbers.

    A stated answer other than the target is refuted. The target alone proves nothing, and correct
    sums in the reasoning do not solve the puzzle, so the score is 0.
    """
    stated = (extract_unambiguous_answer(answer) or "").strip("$. ")
    if re.fullmatch(r"-?\d{1,9}", stated, re.ASCII) and int(stated) != puzzle.target:
        reason = f"the answer is {stated}, not {puzzle.target}"
        return _verdict(Outcome.FAIL, reason, puzzle)
    shown = " ".join(map(str, puzzle.numbers))
    verdict = _verdict(Outcome.UNKNOWN, f"no formula of {shown} to check", puzzle)
    return verdict.model_copy(update={"score": 0.0})


def _judge(formula: Formula, puzzle: PuzzleQuestion) -> Verdict:
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
    outcome: Outcome, reason: str, puzzle: PuzzleQuestion, formula: Formula | None = None
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
