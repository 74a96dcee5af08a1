"""A vote of two independent routes to an answer: reasonings and programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

from pydantic import JsonValue

from reasoner.answers.status import status_of_verdicts
from reasoner.search.operators.aggregate import AnswerEquality, AnswerGroup, group_by_answer
from reasoner.search.operators.evaluate import REFUTED_VOTE_WEIGHT
from reasoner.search.operators.plausible import is_plausible_answer
from reasoner.search.operators.vote import top_two_weights
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.result import Status
from reasoner.types.verdict import Outcome, Verdict

__all__ = [
    "FULL_REASONING_WEIGHT",
    "RouteCandidates",
    "VoteTally",
    "choose_answer",
    "leader_confidence",
]

NAME = "cross_check"
DEFAULT_VALUE = 0.8
"""The weight of a vote without a value score; otherwise the value score is its weight."""
FULL_REASONING_WEIGHT = 1.75
"""The relative weight of a reasoning that no few-shot examples keep brief."""
IMPLAUSIBLE_FACTOR = 0.3
"""The factor on the weight of a vote for an implausible number."""
LOG_ODDS_BASE, LOG_ODDS_SLOPE = -1.22, 2.94
"""Of the log-odds that the leading answer is right: fitted to votes on 48 problems of GSM8K, where
candidates of the default model voted in many orders until the vote was decided; on the votes of 100
other problems the expected calibration error is 3.6 %."""
MIN_PASS_CONFIDENCE = 0.7
"""The confidence from which an agreement of reasonings and programs passes as a check."""


class VoteTally(NamedTuple):
    """The state of a vote: the probability `confidence` that the leading answer is right, the
    weight `lead_weight` by which it leads, and the number `supporter_count` of candidates that
    state it."""

    confidence: float
    lead_weight: float
    supporter_count: int

    def is_decided(self, threshold: float, remaining_weight: float) -> bool:
        """Whether the vote may stop: two or more candidates state the answer and it reaches the
        threshold, or the weight of the votes to come cannot overturn it."""
        confirmed = self.supporter_count > 1 and self.confidence >= threshold
        return confirmed or self.lead_weight > remaining_weight


@dataclass
class RouteCandidates:
    """The candidates of one question by route.

    `full_reasonings` holds the reasonings without examples (at least one), `programs` the programs,
    `revised_reasonings` the reasonings that were shown a program, `brief_reasonings` the reasonings
    with few-shot examples.
    """

    question: str
    full_reasonings: list[Candidate]
    programs: list[Candidate] = field(default_factory=list)
    revised_reasonings: list[Candidate] = field(default_factory=list)
    brief_reasonings: list[Candidate] = field(default_factory=list)

    @property
    def independent_reasonings(self) -> list[Candidate]:
        """The reasonings that are independent of the programs."""
        return [*self.full_reasonings, *self.brief_reasonings]

    @property
    def all_candidates(self) -> list[Candidate]:
        """All candidates, in the order in which they win ties."""
        return [
            *self.full_reasonings,
            *self.revised_reasonings,
            *self.brief_reasonings,
            *self.programs,
        ]

    def group_weight(self, group: AnswerGroup) -> float:
        """The total weight of the votes for an answer."""
        return sum(map(self._vote_weight, group.candidates))

    def _vote_weight(self, candidate: Candidate) -> float:
        weight = DEFAULT_VALUE if candidate.value_score is None else candidate.value_score
        if _contains([*self.full_reasonings, *self.revised_reasonings], candidate):
            weight *= FULL_REASONING_WEIGHT
        if not is_plausible_answer(self.question, candidate.final_answer or ""):
            weight *= IMPLAUSIBLE_FACTOR
        if self._is_refuted(candidate):
            weight *= REFUTED_VOTE_WEIGHT
        return weight

    def _is_refuted(self, candidate: Candidate) -> bool:
        if _contains(self.programs, candidate):
            return False  # a printed number does not depend on the arithmetic in the text
        return status_of_verdicts(candidate.verdicts or (), answered=True) is Status.REFUTED

    async def tally_votes(self, same: AnswerEquality) -> VoteTally:
        """The state of the vote."""
        return self.tally_groups(await group_by_answer(self.all_candidates, same))

    def tally_groups(self, groups: Sequence[AnswerGroup]) -> VoteTally:
        """The state of the vote, from its candidates grouped by answer."""
        first, second = top_two_weights([self.group_weight(group) for group in groups])
        leaders = max(groups, key=self.group_weight).candidates if groups else ()
        return VoteTally(leader_confidence(first, second), first - second, len(leaders))


def _contains(candidates: Sequence[Candidate], candidate: Candidate) -> bool:
    return any(candidate.number == other.number for other in candidates)


def leader_confidence(first: float, second: float) -> float:
    """The probability that the leading answer, of total weight `first`, is right when the next one
    has the total weight `second`."""
    log_odds = LOG_ODDS_BASE + LOG_ODDS_SLOPE * log((first + 1) / (second + 1))
    return 1 / (1 + exp(-log_odds))


async def choose_answer(ballot: RouteCandidates, same: AnswerEquality) -> SearchOutcome:
    """The outcome of the vote: the answer with the largest total weight, stated by a reasoning
    where one states it, with the verdict of the cross-check.

    The first reasoning wins a tie. Revised reasonings do not confirm an answer.
    """
    groups = await group_by_answer(ballot.all_candidates, same)
    leader = max(groups, key=ballot.group_weight, default=None)
    confidence = ballot.tally_groups(groups).confidence
    best = leader.candidates[0] if leader else ballot.full_reasonings[0]
    programs = [program for program in ballot.programs if program.final_answer is not None]
    if leader and programs:
        verdict = _verdict(leader, ballot.independent_reasonings, programs, confidence)
        best = best.model_copy(update={"search_verdicts": (verdict,)})
    best = best.model_copy(update={"score": confidence})
    others = tuple(other for other in ballot.all_candidates if other.number != best.number)
    return SearchOutcome(candidates=(best, *others), confidence=confidence if leader else None)


def _verdict(
    leader: AnswerGroup,
    texts: Sequence[Candidate],
    programs: Sequence[Candidate],
    confidence: float,
) -> Verdict:
    """A pass where both routes independently state the answer and the confidence suffices."""
    reasoned = sum(_contains(leader.candidates, text) for text in texts)
    printed = sum(_contains(leader.candidates, program) for program in programs)
    agreed = reasoned > 0 and printed > 0 and confidence >= MIN_PASS_CONFIDENCE
    evidence: dict[str, JsonValue] = {
        "reasoned": [text.final_answer for text in texts],
        "printed": [program.final_answer for program in programs],
        "programs": [program.trajectory.answer for program in programs],
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
