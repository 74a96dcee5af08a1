"""Which of a search's lines of thought becomes the answer."""

from reasoner.attempt import Attempt, Findings
from reasoner.path import FinishReason, Path, Phase

STOPPED = Path(
    prompt=(1,), phase=Phase.ANSWER, answer="of 17 and 23", finish_reason=FinishReason.INTERRUPTED
)
WHOLE = Path(prompt=(1,), phase=Phase.DONE, answer="391", finish_reason=FinishReason.STOP)


def test_what_a_check_has_settled_stands_first() -> None:
    """A proof ends a search; the line the search prefers may have been stopped by that."""
    stopped = Attempt(number=0, path=STOPPED, final="23")
    proven = Attempt(number=1, path=WHOLE, final="391", proven=True)
    found = Findings(attempts=(stopped, proven), confidence=0.4).proven_first()
    assert [one.number for one in found.attempts] == [1, 0]
    assert found.confidence is None

    for attempts in ((proven, stopped), (stopped, stopped)):
        same = Findings(attempts=attempts, confidence=0.4)
        assert same.proven_first() == same
