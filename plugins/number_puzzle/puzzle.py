"""Recognising a number puzzle: which numbers must make which target.

It recognises Countdown and the Game of 24 in their usual wordings and nothing else, because a word
problem with numbers must never be refuted as a puzzle.
"""

import re
from dataclasses import dataclass

__all__ = ["PuzzleQuestion", "recognise_puzzle"]

MAX_QUESTION_CHARACTERS = 20_000
MAX_DISTANCE_CHARACTERS = 300

_GAP = r"(?:[ \t]*,[ \t]*(?:and[ \t]+)?|[ \t]+(?:and[ \t]+)?)"
_NUMBERS = re.compile(
    r"\b(?:us(?:e|ing)|combin(?:e|ing)|with|given|take|from|of|numbers?|integers|digits|cards|"
    r"input|game|puzzle)\b"
    r"(?:[ \t:]{1,3}(?:(?<=game of )24|with|only|exactly|all|each|the|these|those|provided|given|"
    r"following|three|four|five|six|numbers?|integers?|digits?|cards?|values?|are|is|of)\b){0,8}"
    rf"[ \t]*:?\s{{0,2}}[\[({{]?(?P<numbers>\d{{1,6}}(?:{_GAP}\d{{1,6}}){{1,9}})"
    r"[\])}]?(?![\d.,]*\d|[ \t]*[%+*/×=])",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"(?:\b(?:makes?|making|gets?|reach(?:es)?|obtains?|produces?|forms?|equals?|equal to|hits?|"
    r"evaluat(?:es?|ing) to|totals?|results? in|resulting in|gives?|comes? to|"
    r"target(?: number| value)?(?: is| of)?)\b|=)"
    r"(?: (?:exactly|precisely|the|a|an|target|number|value|total|result|of|to)\b){0,5}[ \t:]*"
    r"(?P<target>-?\d{1,7})(?![\d.,]*\d|[ \t]*[%+*/×(])"
    r"(?![ \t]+(?!from|using|with|out|and|by|or|exactly)[a-z]{3})",
    re.IGNORECASE,
)
_TWENTY_FOUR = re.compile(r"(?i)\bgame of 24\b|\b24[- ](?:game|puzzle|points?)\b")
_INTENT = re.compile(
    r"(?i)\bmake\b|\bgame\b|\breach|\bequation|\bexpression|\boperation|\barithmetic|\btarget\b|\bcountdown\b|"
    r"\bget\b|\bobtain|\bequals?\b"
)
_OTHER = re.compile(
    r"(?i)\bhow (?:many|much|long|far|old|fast)\b|\bprobability\b|\baverage\b|\bsides?\b|"
    r"\bfind (?!an? (?:expression|equation|way|formula))|\bwhat (?:is|are|was) (?!an? )|\bdef |"
    r"\bremainder\b|\$"
)
_PARTIAL_USE = re.compile(
    r"(?i)\bat most once\b|\bsome or all\b|\bany of the\b|\bsubset\b|\b(?:left|leave) out\b|"
    r"\bneed not\b|\b(?:not|n't) (?:all|need|have to|necessar\w+|required)\b|\bdo not need\b"
)
_OPEN = re.compile(r"(?i)\bonly (?:be )?used? once\b|\bused only once\b|\bmore than once\b")
_FULL_USE = re.compile(r"(?i)\bexactly once\b|\ball (?:of )?(?:the|these|four|three)\b")


@dataclass(frozen=True, slots=True)
class PuzzleQuestion:
    """A number puzzle: `numbers` are in the question's order.

    `all_used` is whether every number must be used, None where the wording does not say.
    """

    numbers: tuple[int, ...]
    target: int
    all_used: bool | None


def recognise_puzzle(question: str) -> PuzzleQuestion | None:
    """Return the puzzle of a question, the last one if it shows several, or None."""
    question = question[-MAX_QUESTION_CHARACTERS:]
    if _OTHER.search(question) or not _INTENT.search(question):
        return None
    lists = list(_NUMBERS.finditer(question))
    if not lists:
        return None
    target = _target(question, lists[-1])
    if target is None:
        return None
    numbers = tuple(int(number) for number in re.findall(r"\d+", lists[-1]["numbers"]))
    return PuzzleQuestion(numbers, target, _all_used(question))


def _target(question: str, numbers: re.Match[str]) -> int | None:
    """Return the target nearest after the numbers, otherwise the nearest before them."""
    start, end = numbers.span("numbers")
    after = _TARGET.search(question, end, end + MAX_DISTANCE_CHARACTERS)
    if after is not None:
        return int(after["target"])
    before = list(_TARGET.finditer(question, max(0, start - MAX_DISTANCE_CHARACTERS), start))
    if before:
        return int(before[-1]["target"])
    return 24 if _TWENTY_FOUR.search(question) else None


def _all_used(question: str) -> bool | None:
    if _PARTIAL_USE.search(question):
        return False
    return None if _OPEN.search(question) and not _FULL_USE.search(question) else True
