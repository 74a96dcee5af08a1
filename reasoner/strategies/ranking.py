"""Rankings of candidates into the outcome of a search."""

from collections.abc import Callable, Sequence

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import Same, aggregate
from reasoner.operators.evaluate import merit
from reasoner.operators.vote import shares

__all__ = ["by_answer", "by_score"]

Rate = Callable[[Attempt], float]
"""A score or weight of a candidate, in [0, 1]."""


async def by_answer(
    candidates: Sequence[Attempt], same: Same, *, weigh: Rate, rate: Rate = merit
) -> Findings:
    """Weighted best-of-N (Li et al. 2023): the answer with the largest sum of `weigh` first, and of
    its candidates the one with the highest `rate` first.

    A candidate's score, and the confidence, is its answer's share of the total weight. A proven
    candidate precedes all others. Candidates without a final answer follow in `by_score` order.
    """
    groups = await aggregate(candidates, same)
    answer_shares = shares([sum(map(weigh, group.attempts)) for group in groups])
    rows = [
        (candidate.proven, share, len(group.attempts), rate(candidate), candidate)
        for share, group in zip(answer_shares, groups, strict=True)
        for candidate in group.attempts
    ]
    rows.sort(key=lambda row: row[:4], reverse=True)
    ranked = [row[-1].model_copy(update={"score": row[1]}) for row in rows]
    ranked_numbers = {candidate.number for candidate in ranked}
    others = [candidate for candidate in candidates if candidate.number not in ranked_numbers]
    others.sort(key=_completion_first(rate), reverse=True)
    return Findings(
        attempts=tuple(ranked + others), confidence=max(answer_shares) if rows else None
    )


def by_score(
    candidates: Sequence[Attempt], rate: Rate, agreement: dict[int, float] | None = None
) -> Findings:
    """Best-of-N: the candidate with the highest `rate` first; complete ones precede those cut off.

    `agreement` maps a candidate's number to the share of candidates with the same answer; that of
    the first candidate is the confidence.
    """
    ranked = sorted(candidates, key=_completion_first(rate), reverse=True)
    scored = tuple(candidate.model_copy(update={"score": rate(candidate)}) for candidate in ranked)
    return Findings(attempts=scored, confidence=(agreement or {}).get(scored[0].number))


def _completion_first(rate: Rate) -> Callable[[Attempt], tuple[bool, int, float]]:
    """A sort key: proven candidates last, then those further complete, then those rated higher."""
    return lambda candidate: (candidate.proven, candidate.ending, rate(candidate))
