"""From attempts to findings: the answer with the most weight first."""

from collections.abc import Callable, Sequence

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import Same, aggregate
from reasoner.operators.evaluate import merit
from reasoner.operators.vote import shares

__all__ = ["by_answer", "by_score"]

Rate = Callable[[Attempt], float]
"""A number in [0, 1] for an attempt."""


async def by_answer(
    attempts: Sequence[Attempt], same: Same, *, weigh: Rate, rate: Rate = merit
) -> Findings:
    """Weighted best-of-N (Li et al. 2023): the answer whose attempts weigh most, and of these
    the one that `rate` puts first. An attempt's score, and the confidence, is its answer's share.

    A proven attempt comes before all others. Attempts without a final answer follow, as
    `by_score` would rank them.
    """
    groups = await aggregate(attempts, same)
    parts = shares([sum(map(weigh, group.attempts)) for group in groups])
    counted = [
        (attempt.proven, share, len(group.attempts), rate(attempt), attempt)
        for share, group in zip(parts, groups, strict=True)
        for attempt in group.attempts
    ]
    counted.sort(key=lambda row: row[:4], reverse=True)
    ranked = [row[-1].model_copy(update={"score": row[1]}) for row in counted]
    placed = {attempt.number for attempt in ranked}
    others = [attempt for attempt in attempts if attempt.number not in placed]
    others.sort(key=lambda attempt: (attempt.proven, attempt.ending, rate(attempt)), reverse=True)
    return Findings(attempts=tuple(ranked + others), confidence=max(parts) if counted else None)


def by_score(
    attempts: Sequence[Attempt], rate: Rate, agreement: dict[int, float] | None = None
) -> Findings:
    """Plain best-of-N: the attempt that `rate` puts first; whole ones before those cut off.

    The confidence is `agreement` with the first attempt, by number, where that is known.
    """
    ranked = sorted(
        attempts, key=lambda attempt: (attempt.proven, attempt.ending, rate(attempt)), reverse=True
    )
    scored = tuple(attempt.model_copy(update={"score": rate(attempt)}) for attempt in ranked)
    return Findings(attempts=scored, confidence=(agreement or {}).get(scored[0].number))
