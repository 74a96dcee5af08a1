"""A vote of two routes to one answer: reasonings and programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log

from pydantic import JsonValue

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import Group, Same, aggregate
from reasoner.operators.vote import top_two
from reasoner.verdict import Outcome, Verdict

__all__ = ["PROGRAM_WEIGHT", "VALUE_WEIGHT", "Ballot", "judged", "sureness"]

NAME = "cross_check"
PROGRAM_WEIGHT, TEXT_WEIGHT = 1.0, 1.5
"""What a program's vote counts, and what a reasoning's of which no value is known."""
VALUE_WEIGHT = 2.0
"""What a reasoning's vote counts for each point of its value: at most so much."""
BASE, SLOPE = -1.29, 2.64
"""Of the log-odds that the leading answer is right: fitted to the default model's votes on 97
problems of GSM8K; with each left out in turn, the expected calibration error is 11 %."""
CONVINCED = 0.7
"""The confidence from which an agreement of reasoning and programs passes as a check."""


@dataclass
class Ballot:
    """The lines that were drawn: reasonings, programs, and reasonings that were shown a program."""

    texts: list[Attempt]
    programs: list[Attempt] = field(default_factory=list)
    revised: list[Attempt] = field(default_factory=list)

    @property
    def all(self) -> list[Attempt]:
        return [*self.texts, *self.revised, *self.programs]

    def weight(self, group: Group) -> float:
        """What an answer's votes weigh together."""
        programs = {one.number for one in self.programs}
        return sum(
            PROGRAM_WEIGHT if one.number in programs else _weight(one) for one in group.attempts
        )

    async def confidence(self, same: Same) -> tuple[float, float]:
        """How likely the leading answer is right, and by what weight it leads."""
        groups = await aggregate(self.all, same)
        first, second = top_two([self.weight(group) for group in groups])
        return sureness(first, second), first - second


def _weight(text: Attempt) -> float:
    return TEXT_WEIGHT if text.value is None else VALUE_WEIGHT * text.value


def sureness(first: float, second: float) -> float:
    """The probability that an answer is right whose votes weigh `first`, the next's `second`."""
    return 1 / (1 + exp(-BASE - SLOPE * log((first + 1) / (second + 1))))


async def judged(ballot: Ballot, same: Same) -> Findings:
    """The answer whose votes weigh most, as a reasoning where one gives it, with the verdict.

    The first reasoning wins a tie. What was revised confirms nothing.
    """
    groups = await aggregate(ballot.all, same)
    leader = max(groups, key=ballot.weight, default=None)
    confidence, _ = await ballot.confidence(same)
    best = leader.attempts[0] if leader else ballot.texts[0]
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
