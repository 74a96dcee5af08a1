"""Probabilities of a few options from their log-probabilities."""

from math import log

import pytest

from reasoner.engine.softmax import leading_share, softmax


def test_options_are_normalised_among_themselves() -> None:
    assert softmax([log(0.03), log(0.01)]) == pytest.approx((0.75, 0.25))


def test_very_unlikely_options_do_not_underflow() -> None:
    assert softmax([-2000.0, -2000.0]) == (0.5, 0.5)


def test_the_share_sums_over_the_first_options() -> None:
    assert leading_share([log(0.1), log(0.2), log(0.1)], 2) == pytest.approx(0.75)
