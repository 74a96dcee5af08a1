"""A vote of two routes to one answer: reasonings and programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

from pydantic import JsonValue

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import Group, Same, aggregate
from reasoner.operators.evaluate import LEAST
from reasoner.operators.plausible import plausible
from reasoner.operators.vote import top_two
from reasoner.result import Status
from reasoner.verdict import Outcome, Verdict
from reasoner.verify.status import status

__all__ = ["AT_LENGTH", "Ballot", "Count", "judged", "sureness"]

NAME = "cross_check"
UNKNOWN_VALUE = 0.8
"""What a vote counts of whose value nothing is known; otherwise it counts its value."""
AT_LENGTH = 1.75
"""How many times as much a reasoning counts that no worked examples cut short."""
IMPLAUSIBLE = 0.3
"""What is left of a vote for a number that can hardly be the answer."""
BASE, SLOPE = -1.22, 2.94
"""Of the log-odds that the leading answer is right: fitted to votes on 48 problems of GSM8K, where
lines of the default model voted in many orders until they were decided; on the votes of 100 other
problems the expected calibration error is 3.6 %."""
CONVINCED = 0.7
"""The confidence from which an agreement of reasoning and programs passes as a check."""


class Count(NamedTuple):
    """How a vote stands: the probability that the leading answer is right, by what weight it
    leads, and how many lines give it."""

    sure: float
    lead: float
    lines: int

    def decided(self, threshold: float, left: float) -> bool:
        """Whether no more need to vote: two lines or more are sure enough, or what is `left` to be
        counted weighs too little. A line that nothing confirms is never sure enough."""
        return (self.lines > 1 and self.sure >= threshold) or self.lead > left


@dataclass
class Ballot:
    """The lines that were drawn for a question: reasonings, the first of them `at_length` and the
    others `brief` ones, programs, and reasonings that were shown a program."""

    question: str
    at_length: list[Attempt]
    programs: list[Attempt] = field(default_factory=list)
    revised: list[Attempt] = field(default_factory=list)
    brief: list[Attempt] = field(default_factory=list)

    @property
    def texts(self) -> list[Attempt]:
        """The reasonings that came about without a program."""
        return [*self.at_length, *self.brief]

    @property
    def all(self) -> list[Attempt]:
        return [*self.at_length, *self.revised, *self.brief, *self.programs]

    def weight(self, group: Group) -> float:
        """What an answer's votes weigh together."""
        return sum(map(self._weight, group.attempts))

    def _weight(self, vote: Attempt) -> float:
        value = UNKNOWN_VALUE if vote.value is None else vote.value
        long = any(vote.number == one.number for one in (*self.at_length, *self.revised))
        likely = plausible(self.question, vote.final or "")
        printed = any(vote.number == one.number for one in self.programs)
        refuted = status(vote.verdicts or (), answered=True) is Status.REFUTED
        sound = printed or not refuted  # a printed number was not reckoned in the text
        weight = value * (AT_LENGTH if long else 1.0) * (1.0 if likely else IMPLAUSIBLE)
        return weight * (1.0 if sound else LEAST)

    async def count(self, same: Same) -> Count:
        """How the vote stands."""
        return self.counted(await aggregate(self.all, same))

    def counted(self, groups: Sequence[Group]) -> Count:
        """How the vote stands, its lines grouped by their answers already."""
        first, second = top_two([self.weight(group) for group in groups])
        lines = max(groups, key=self.weight).attempts if groups else ()
        return Count(sureness(first, second), first - second, len(lines))


def sureness(first: float, second: float) -> float:
    """The probability that an answer is right whose votes weigh `first`, the next's `second`."""
    return 1 / (1 + exp(-BASE - SLOPE * log((first + 1) / (second + 1))))


async def judged(ballot: Ballot, same: Same) -> Findings:
    """The answer whose votes weigh most, as a reasoning where one gives it, with the verdict.

    The first reasoning wins a tie. What was revised confirms nothing.
    """
    groups = await aggregate(ballot.all, same)
    leader = max(groups, key=ballot.weight, default=None)
    confidence = ballot.counted(groups).sure
    best = leader.attempts[0] if leader else ballot.at_length[0]
    programs = [one for one in ballot.programs if one.final is not None]
    if leader and programs:
        verdict = _verdict(leader, ballot.texts, programs, confidence)
        best = best.model_copy(update={"found": (verdict,)})
    best = best.model_copy(update={"score": confidence})
    others = tuple(one for one in ballot.all if one.number != best.number)
    return Findings(attempts=(best, *others), confidence=confidence if leader else None)


def _verdict(
    leader: Group, texts: Sequence[Attempt], programs: Sequence[Attempt], confidence: float
) -> Verdict:
    """A pass where both routes, independently, lead to the answer and little speaks against it."""
    numbers = {one.number for one in leader.attempts}
    reasoned = sum(one.number in numbers for one in texts)
    printed = sum(one.number in numbers for one in programs)
    agreed = reasoned > 0 and printed > 0 and confidence >= CONVINCED
    evidence: dict[str, JsonValue] = {
        "reasoned": [one.final for one in texts],
        "printed": [one.final for one in programs],
        "programs": [one.path.answer for one in programs],
    }
    return Verdict(
        verifier=NAME,
        outcome=Outcome.PASS if agreed else Outcome.UNKNOWN,
        score=confidence if agreed else 0.0,
        reason=_reason(agreed, (reasoned, len(texts)), (printed, len(programs))),
        evidence=evidence,
    )


def _reason(agreed: bool, texts: tuple[int, int], programs: tuple[int, int]) -> str:
    if agreed and texts[1] == programs[1] == 1:
        return "a program written independently prints it as well"
    said = f"{programs[0]} of {programs[1]} programs and {texts[0]} of {texts[1]} reasonings"
    return f"{said} give it" if agreed else f"only {said} give this answer"
