"""From verdicts to a status and a standing: nothing is verified unless a check that could fail
passed, and nothing outranks what passed."""

from collections.abc import Iterable
from math import prod

from reasoner.result import Status
from reasoner.verdict import Outcome, Verdict

__all__ = ["standing", "status"]

BAND = 0.25
"""How much of [0, 1] a refutation's, an open question's and a confirmation's own score spans."""
DOUBT = 0.25
"""The score below which a check that could not decide speaks against an answer all the same."""


def status(verdicts: Iterable[Verdict], answered: bool) -> Status:
    """A pass that settles the question verifies. Else any failure refutes, else any pass verifies,
    unless another check has its doubts: an `unknown` that scores below `DOUBT`. Other `unknown`
    and `error` decide nothing."""
    verdicts = list(verdicts)
    outcomes = {verdict.outcome for verdict in verdicts}
    if not answered:
        return Status.NO_ANSWER
    if any(verdict.proves for verdict in verdicts):
        return Status.VERIFIED
    if Outcome.FAIL in outcomes:
        return Status.REFUTED
    passed = Outcome.PASS in outcomes and not any(map(_doubts, verdicts))
    return Status.VERIFIED if passed else Status.ANSWERED


def standing(verdicts: Iterable[Verdict]) -> float:
    """What candidates are ranked by, in [0, 1]: refuted < undecided < confirmed.

    What a check settled is 1. The three outcomes keep to bands that do not overlap, so that the
    order of `status` is never turned round by a score: any failure gives [0, 0.25], else any pass
    [0.75, 1], else [0.375, 0.625] with 0.5 for nothing said at all. Within its band the verdict's
    own score orders: of two refuted programs the one that passes four of five examples comes
    first, and of two undecided ones the one that at least ran. Of several failures the worst
    counts, since an answer is as good as its weakest link. Passes add up like independent pieces
    of evidence, each halving at most the doubt that is left, so a second check raises the standing
    and none makes it certain. A missing score is 0 for a failure, 1 for a pass and 0.5 otherwise;
    `error` says something about the check, not the candidate, and is left out.
    """
    verdicts = list(verdicts)
    if any(verdict.proves for verdict in verdicts):
        return 1.0
    scores: dict[Outcome, list[float]] = {outcome: [] for outcome in Outcome}
    for verdict in verdicts:
        scores[verdict.outcome].append(_score(verdict))
    if failed := scores[Outcome.FAIL]:
        return BAND * min(failed)
    passed = scores[Outcome.PASS]
    if passed and not any(map(_doubts, verdicts)):
        return 1 - BAND * prod(1 - score / 2 for score in passed)
    open_ = scores[Outcome.UNKNOWN] or [0.5]
    return 0.5 + BAND * (sum(open_) / len(open_) - 0.5)


def _doubts(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.UNKNOWN and _score(verdict) < DOUBT


def _score(verdict: Verdict) -> float:
    if verdict.score is not None:
        return verdict.score
    return {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}.get(verdict.outcome, 0.5)
