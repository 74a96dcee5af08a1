"""From verdicts to a status: nothing is verified unless a check that could fail passed."""

from collections.abc import Iterable

from reasoner.result import Status
from reasoner.verdict import Outcome, Verdict

__all__ = ["status"]


def status(verdicts: Iterable[Verdict], answered: bool) -> Status:
    """Any failure refutes, else any pass verifies; `unknown` and `error` decide nothing."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if not answered:
        return Status.NO_ANSWER
    if Outcome.FAIL in outcomes:
        return Status.REFUTED
    return Status.VERIFIED if Outcome.PASS in outcomes else Status.ANSWERED
