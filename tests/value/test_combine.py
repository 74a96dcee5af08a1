"""Several opinions made into one."""

import pytest
from pydantic import ValidationError

from reasoner.value.combine import Mixture, combine

EVEN = Mixture(weights={"value": 1.0, "judge": 1.0})


def test_equal_weights_meet_in_the_middle_of_the_odds() -> None:
    assert combine({"value": 0.9, "judge": 0.1}, EVEN) == pytest.approx(0.5)
    assert combine({"value": 0.8, "judge": 0.8}, EVEN) == pytest.approx(0.8)
    odds = (0.9 / 0.1 * 0.5 / 0.5) ** 0.5
    assert combine({"value": 0.9, "judge": 0.5}, EVEN) == pytest.approx(odds / (1 + odds))


def test_weights_count() -> None:
    mixture = Mixture(weights={"value": 3.0, "judge": 1.0})
    mixed = combine({"value": 0.9, "judge": 0.1}, mixture)
    assert mixed is not None
    assert 0.5 < mixed < 0.9


def test_who_is_silent_or_unnamed_counts_nothing() -> None:
    assert combine({"value": 0.7, "judge": None}, EVEN) == pytest.approx(0.7)
    assert combine({"value": 0.7, "gossip": 0.0}, EVEN) == pytest.approx(0.7)
    assert combine({"value": None}, EVEN) is None
    assert combine({}, EVEN) is None


def test_no_source_decides_alone() -> None:
    mixed = combine({"value": 0.0, "judge": 0.99}, EVEN)
    assert mixed is not None
    assert 0 < mixed < 0.5


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValidationError):
        Mixture(weights={"value": -1.0})
