"""What an attempt is worth."""

import pytest

from reasoner.attempt import Attempt
from reasoner.operators.evaluate import ballot, merit
from reasoner.path import Path, Phase
from reasoner.verdict import Outcome, Verdict

PATH = Path(prompt=(1,), phase=Phase.DONE, answer="7")


def judged(*outcomes: Outcome, value: float | None = None) -> Attempt:
    verdicts = tuple(
        Verdict(verifier="v", outcome=outcome, score=score, reason="r")
        for outcome in outcomes
        for score in [{Outcome.PASS: 1.0, Outcome.FAIL: 0.0}.get(outcome)]
    )
    return Attempt(number=0, path=PATH, final="7", verdicts=verdicts, value=value)


def test_a_refuted_vote_loses_weight() -> None:
    weights = [ballot(judged(outcome)) for outcome in (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL)]
    assert weights == pytest.approx([1.0, 2 / 3, 0.1])
    assert ballot(judged()) == 1.0
    assert ballot(judged(Outcome.PASS, Outcome.FAIL)) == pytest.approx(0.1)


def test_merit_is_the_mean_of_what_is_known() -> None:
    assert merit(judged(Outcome.PASS)) == pytest.approx(0.875)
    assert merit(judged(Outcome.PASS, value=0.125)) == pytest.approx(0.5)
    assert merit(judged(Outcome.FAIL, value=0.5), agreement=1.0) == pytest.approx(0.5)
    assert merit(judged()) == pytest.approx(0.5)
