"""Several opinions made into one."""

import pytest

from reasoner.value.combine import combine


def test_scores_meet_in_the_middle_of_the_odds() -> None:
    assert combine([0.9, 0.1]) == pytest.approx(0.5)
    assert combine([0.8, 0.8]) == pytest.approx(0.8)
    assert combine([0.7]) == pytest.approx(0.7)
    odds = (0.9 / 0.1 * 0.5 / 0.5) ** 0.5
    assert combine([0.9, 0.5]) == pytest.approx(odds / (1 + odds))


def test_no_source_decides_alone() -> None:
    assert 0 < combine([0.0, 0.99]) < 0.5
    assert 0.5 < combine([1.0, 0.01]) < 1
