"""The report of `reasoner verify` about one answer: outcome, reason and verdicts."""

from reasoner.answers.status import score_of_verdicts, status_of_verdicts
from reasoner.batch.rows import Row
from reasoner.cli.output.terminal import one_line
from reasoner.types.verdict import Submission, Verdict

__all__ = ["EXIT_CODES", "NOTHING_TO_CHECK", "print_lines", "report_of"]

EXIT_CODES = {"pass": 0, "fail": 3, "unknown": 4}
NOTHING_TO_CHECK = "nothing to check it by; give --expect, --question or --tests"
STATUS_OUTCOMES = {"verified": "pass", "refuted": "fail"}


def report_of(submission: Submission, verdicts: tuple[Verdict, ...]) -> Row:
    """Return the outcome of all verdicts together, the reason, the final answer and the score."""
    outcome = STATUS_OUTCOMES.get(status_of_verdicts(verdicts, answered=True), "unknown")
    deciding = [v for v in verdicts if v.outcome == outcome] or list(verdicts)
    return {
        "outcome": outcome,
        "reason": "; ".join(v.reason for v in deciding) or NOTHING_TO_CHECK,
        "final": submission.final,
        "standing": round(score_of_verdicts(verdicts), 4),
        "verdicts": [verdict.model_dump(mode="json") for verdict in verdicts],
    }


def print_lines(report: Row) -> None:
    """Print a line for each verdict, or one for the whole report when there are none."""
    for verdict in report["verdicts"] or [report]:
        outcome, name, reason = verdict["outcome"], verdict.get("verifier", "-"), verdict["reason"]
        print(f"{outcome:<7}  {name:<14}  {one_line(reason)}")
