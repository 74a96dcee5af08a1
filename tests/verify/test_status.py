import pytest

from reasoner.result import Status
from reasoner.verdict import Outcome, Verdict
from reasoner.verify.status import status


@pytest.mark.parametrize(
    ("outcomes", "answered", "expected"),
    [
        ("", True, Status.ANSWERED),
        ("pass", True, Status.VERIFIED),
        ("pass fail", True, Status.REFUTED),
        ("unknown error", True, Status.ANSWERED),
        ("unknown pass", True, Status.VERIFIED),
        ("pass", False, Status.NO_ANSWER),
    ],
)
def test_status(outcomes: str, answered: bool, expected: Status) -> None:
    verdicts = [Verdict(verifier="x", outcome=Outcome(o), reason="r") for o in outcomes.split()]
    assert status(verdicts, answered) is expected
