"""Which of a search's lines of thought becomes the answer."""

from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.trajectory import FinishReason, Phase, Trajectory

STOPPED = Trajectory(
    prompt=(1,), phase=Phase.ANSWER, answer="of 17 and 23", finish_reason=FinishReason.INTERRUPTED
)
WHOLE = Trajectory(prompt=(1,), phase=Phase.DONE, answer="391", finish_reason=FinishReason.STOP)


def test_what_a_check_has_settled_stands_first() -> None:
    """A proof ends a search; the line the search prefers may have been stopped by that."""
    stopped = Candidate(number=0, trajectory=STOPPED, final_answer="23")
    proven = Candidate(number=1, trajectory=WHOLE, final_answer="391", is_proven=True)
    found = SearchOutcome(candidates=(stopped, proven), confidence=0.4).with_proven_first()
    assert [one.number for one in found.candidates] == [1, 0]
    assert found.confidence is None

    for attempts in ((proven, stopped), (stopped, stopped)):
        same = SearchOutcome(candidates=attempts, confidence=0.4)
        assert same.with_proven_first() == same
