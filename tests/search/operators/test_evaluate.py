"""What an attempt is worth."""

import pytest

from reasoner.search.operators.evaluate import candidate_score, vote_weight
from reasoner.types.candidate import Candidate
from reasoner.types.trajectory import Phase, Trajectory
from reasoner.types.verdict import Outcome, Verdict

PATH = Trajectory(prompt=(1,), phase=Phase.DONE, answer="7")


def judged(*outcomes: Outcome, value: float | None = None) -> Candidate:
    verdicts = tuple(
        Verdict(verifier="v", outcome=outcome, score=score, reason="r")
        for outcome in outcomes
        for score in [{Outcome.PASS: 1.0, Outcome.FAIL: 0.0}.get(outcome)]
    )
    return Candidate(
        number=0, trajectory=PATH, final_answer="7", verdicts=verdicts, value_score=value
    )


def test_a_refuted_vote_loses_weight() -> None:
    weights = [
        vote_weight(judged(outcome)) for outcome in (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL)
    ]
    assert weights == pytest.approx([1.0, 2 / 3, 0.1])
    assert vote_weight(judged()) == 1.0
    assert vote_weight(judged(Outcome.PASS, Outcome.FAIL)) == pytest.approx(0.1)


def test_merit_is_the_mean_of_what_is_known() -> None:
    assert candidate_score(judged(Outcome.PASS)) == pytest.approx(0.875)
    assert candidate_score(judged(Outcome.PASS, value=0.125)) == pytest.approx(0.5)
    assert candidate_score(judged(Outcome.FAIL, value=0.5), agreement=1.0) == pytest.approx(0.5)
    assert candidate_score(judged()) == pytest.approx(0.5)
