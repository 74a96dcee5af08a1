"""A vote of two independent routes to an answer: reasonings and programs."""

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
DEFAULT_VALUE = 0.8
"""The weight of a vote without a value score; otherwise the value score is its weight."""
AT_LENGTH = 1.75
"""The relative weight of a reasoning that no few-shot examples keep brief."""
IMPLAUSIBLE_FACTOR = 0.3
"""The factor on the weight of a vote for an implausible number."""
LOG_ODDS_BASE, LOG_ODDS_SLOPE = -1.22, 2.94
"""Of the log-odds that the leading answer is right: fitted to votes on 48 problems of GSM8K, where
candidates of the default model voted in many orders until the vote was decided; on the votes of 100
other problems the expected calibration error is 3.6 %."""
MIN_PASS_CONFIDENCE = 0.7
"""The confidence from which an agreement of reasonings and programs passes as a check."""


class Count(NamedTuple):
    """The state of a vote: the probability `sure` that the leading answer is right, the weight
    `lead` by which it leads, and the number `lines` of candidates that state it."""

    sure: float
    lead: float
    lines: int

    def decided(self, threshold: float, remaining_weight: float) -> bool:
        """Whether the vote may stop: two or more candidates state the answer and it reaches the
        threshold, or the weight of the votes to come cannot overturn it."""
        confirmed = self.lines > 1 and self.sure >= threshold
        return confirmed or self.lead > remaining_weight


@dataclass
class Ballot:
    """The candidates of one question by route.

    `at_length` holds the reasonings without examples (at least one), `programs` the programs,
    `revised` the reasonings that were shown a program, `brief` the reasonings with few-shot
    examples.
    """

    question: str
    at_length: list[Attempt]
    programs: list[Attempt] = field(default_factory=list)
    revised: list[Attempt] = field(default_factory=list)
    brief: list[Attempt] = field(default_factory=list)

    @property
    def texts(self) -> list[Attempt]:
        """The reasonings that are independent of the programs."""
        return [*self.at_length, *self.brief]

    @property
    def all(self) -> list[Attempt]:
        """All candidates, in the order in which they win ties."""
        return [*self.at_length, *self.revised, *self.brief, *self.programs]

    def weight(self, group: Group) -> float:
        """The total weight of the votes for an answer."""
        return sum(map(self._vote_weight, group.attempts))

    def _vote_weight(self, candidate: Attempt) -> float:
        weight = DEFAULT_VALUE if candidate.value is None else candidate.value
        if _contains([*self.at_length, *self.revised], candidate):
            weight *= AT_LENGTH
        if not plausible(self.question, candidate.final or ""):
            weight *= IMPLAUSIBLE_FACTOR
        if self._is_refuted(candidate):
            weight *= LEAST
        return weight

    def _is_refuted(self, candidate: Attempt) -> bool:
        if _contains(self.programs, candidate):
            return False  # a printed number does not depend on the arithmetic in the text
        return status(candidate.verdicts or (), answered=True) is Status.REFUTED

    async def count(self, same: Same) -> Count:
        """The state of the vote."""
        return self.counted(await aggregate(self.all, same))

    def counted(self, groups: Sequence[Group]) -> Count:
        """The state of the vote, from its candidates grouped by answer."""
        first, second = top_two([self.weight(group) for group in groups])
        leaders = max(groups, key=self.weight).attempts if groups else ()
        return Count(sureness(first, second), first - second, len(leaders))


def _contains(candidates: Sequence[Attempt], candidate: Attempt) -> bool:
    return any(candidate.number == other.number for other in candidates)


def sureness(first: float, second: float) -> float:
    """The probability that the leading answer, of total weight `first`, is right when the next one
    has the total weight `second`."""
    log_odds = LOG_ODDS_BASE + LOG_ODDS_SLOPE * log((first + 1) / (second + 1))
    return 1 / (1 + exp(-log_odds))


async def judged(ballot: Ballot, same: Same) -> Findings:
    """The outcome of the vote: the answer with the largest total weight, stated by a reasoning
    where one states it, with the verdict of the cross-check.

    The first reasoning wins a tie. Revised reasonings do not confirm an answer.
    """
    groups = await aggregate(ballot.all, same)
    leader = max(groups, key=ballot.weight, default=None)
    confidence = ballot.counted(groups).sure
    best = leader.attempts[0] if leader else ballot.at_length[0]
    programs = [program for program in ballot.programs if program.final is not None]
    if leader and programs:
        verdict = _verdict(leader, ballot.texts, programs, confidence)
        best = best.model_copy(update={"found": (verdict,)})
    best = best.model_copy(update={"score": confidence})
    others = tuple(other for other in ballot.all if other.number != best.number)
    return Findings(attempts=(best, *others), confidence=confidence if leader else None)


def _verdict(
    leader: Group, texts: Sequence[Attempt], programs: Sequence[Attempt], confidence: float
) -> Verdict:
    """A pass where both routes independently state the answer and the confidence suffices."""
    reasoned = sum(_contains(leader.attempts, text) for text in texts)
    printed = sum(_contains(leader.attempts, program) for program in programs)
    agreed = reasoned > 0 and printed > 0 and confidence >= MIN_PASS_CONFIDENCE
    evidence: dict[str, JsonValue] = {
        "reasoned": [text.final for text in texts],
        "printed": [program.final for program in programs],
        "programs": [program.path.answer for program in programs],
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
    counts = f"{programs[0]} of {programs[1]} programs and {texts[0]} of {texts[1]} reasonings"
    return f"{counts} give it" if agreed else f"only {counts} give this answer"
