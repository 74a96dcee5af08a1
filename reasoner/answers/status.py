"""The status and the score of a candidate, computed from its verdicts.

A candidate is verified only when a check that could have failed passed.
"""

from collections.abc import Iterable
from math import prod

from reasoner.types.result import Status
from reasoner.types.verdict import Outcome, Verdict

__all__ = ["score_of_verdicts", "status_of_verdicts"]

GROUP_WIDTH = 0.25
"""The width of the interval of scores of each group: refuted, undecided, confirmed."""
MIN_UNDOUBTED_SCORE = 0.25
"""The score below which an `unknown` verdict keeps a candidate from being verified."""


def status_of_verdicts(verdicts: Iterable[Verdict], answered: bool) -> Status:
    """Return the status of an answer from its verdicts; `answered` is False without an answer.

    A pass that settles the question makes it VERIFIED. Otherwise any failure makes it REFUTED.
    Otherwise any pass makes it VERIFIED, unless an `unknown` verdict scores below
    `MIN_UNDOUBTED_SCORE`. In all other cases it is ANSWERED: other `unknown` verdicts and `error`
    change nothing.
    """
    verdicts = list(verdicts)
    outcomes = {verdict.outcome for verdict in verdicts}
    if not answered:
        return Status.NO_ANSWER
    if any(verdict.is_proof for verdict in verdicts):
        return Status.VERIFIED
    if Outcome.FAIL in outcomes:
        return Status.REFUTED
    is_verified = Outcome.PASS in outcomes and not any(map(_is_doubtful, verdicts))
    return Status.VERIFIED if is_verified else Status.ANSWERED


def score_of_verdicts(verdicts: Iterable[Verdict]) -> float:
    """Return the score by which candidates are ranked, in [0, 1]: refuted < undecided < confirmed.

    A settled question gives 1. The three groups have intervals that do not overlap, so that the
    ranking never contradicts `status_of_verdicts`: any failure gives [0, 0.25], otherwise any pass
    [0.75, 1], otherwise the score lies in [0.375, 0.625], and is 0.5 without verdicts. Within a
    group the verdicts' own scores decide: of two refuted programs the one that passes more examples
    ranks higher, and of two undecided ones the one that ran without error.

    Of several failures the lowest score counts. Passes are combined like independent evidence:
    each at most halves the remaining distance to 1. A missing score is 0 for a failure, 1 for a
    pass and 0.5 otherwise. `error` verdicts are about the check, not the candidate, and are
    ignored.
    """
    verdicts = list(verdicts)
    if any(verdict.is_proof for verdict in verdicts):
        return 1.0
    scores: dict[Outcome, list[float]] = {outcome: [] for outcome in Outcome}
    for verdict in verdicts:
        scores[verdict.outcome].append(_score(verdict))
    if fail_scores := scores[Outcome.FAIL]:
        return GROUP_WIDTH * min(fail_scores)
    pass_scores = scores[Outcome.PASS]
    if pass_scores and not any(map(_is_doubtful, verdicts)):
        return 1 - GROUP_WIDTH * prod(1 - score / 2 for score in pass_scores)
    unknown_scores = scores[Outcome.UNKNOWN] or [0.5]
    return 0.5 + GROUP_WIDTH * (sum(unknown_scores) / len(unknown_scores) - 0.5)


def _is_doubtful(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.UNKNOWN and _score(verdict) < MIN_UNDOUBTED_SCORE


def _score(verdict: Verdict) -> float:
    if verdict.score is not None:
        return verdict.score
    return {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}.get(verdict.outcome, 0.5)
