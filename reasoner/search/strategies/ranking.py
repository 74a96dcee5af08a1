"""Rankings of candidates into the outcome of a search."""

from collections.abc import Callable, Sequence

from reasoner.search.operators.aggregate import AnswerEquality, group_by_answer
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.operators.vote import weight_shares
from reasoner.types.candidate import Candidate, SearchOutcome

__all__ = ["rank_by_answer", "rank_by_score"]

CandidateScore = Callable[[Candidate], float]
"""A score or weight of a candidate, in [0, 1]."""


async def rank_by_answer(
    candidates: Sequence[Candidate],
    same: AnswerEquality,
    *,
    vote_weight: CandidateScore,
    score: CandidateScore = candidate_score,
) -> SearchOutcome:
    """Weighted best-of-N (Li et al. 2023): the answer with the largest sum of `vote_weight` first,
    and of its candidates the one with the highest `rate` first.

    A candidate's score, and the confidence, is its answer's share of the total weight. A proven
    candidate precedes all others. Candidates without a final answer follow in `rank_by_score`
    order.
    """
    groups = await group_by_answer(candidates, same)
    answer_shares = weight_shares([sum(map(vote_weight, group.candidates)) for group in groups])
    rows = [
        (candidate.is_proven, share, len(group.candidates), score(candidate), candidate)
        for share, group in zip(answer_shares, groups, strict=True)
        for candidate in group.candidates
    ]
    rows.sort(key=lambda row: row[:4], reverse=True)
    ranked = [row[-1].model_copy(update={"score": row[1]}) for row in rows]
    ranked_numbers = {candidate.number for candidate in ranked}
    others = [candidate for candidate in candidates if candidate.number not in ranked_numbers]
    others.sort(key=_completion_first(score), reverse=True)
    return SearchOutcome(
        candidates=tuple(ranked + others), confidence=max(answer_shares) if rows else None
    )


def rank_by_score(
    candidates: Sequence[Candidate],
    score: CandidateScore,
    agreement: dict[int, float] | None = None,
) -> SearchOutcome:
    """Best-of-N: the candidate with the highest `rate` first; complete ones precede those cut off.

    `agreement` maps a candidate's number to the share of candidates with the same answer; that of
    the first candidate is the confidence.
    """
    ranked = sorted(candidates, key=_completion_first(score), reverse=True)
    scored = tuple(candidate.model_copy(update={"score": score(candidate)}) for candidate in ranked)
    return SearchOutcome(candidates=scored, confidence=(agreement or {}).get(scored[0].number))


def _completion_first(rate: CandidateScore) -> Callable[[Candidate], tuple[bool, int, float]]:
    """A sort key: proven candidates last, then those further complete, then those rated higher."""
    return lambda candidate: (candidate.is_proven, candidate.completion_rank, rate(candidate))
