"""Statistics of scores and of counts."""

import numpy as np
import pytest

from reasoner.metrics import (
    auc,
    calibration_error,
    equal_width_calibration_error,
    fit_platt_scaling,
    sign_test,
    wilson_interval,
)


def test_auc_counts_ties_half_and_one_kind_as_undecided() -> None:
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(np.array([0.9, 0.8, 0.3, 0.1]), right) == 1.0
    assert auc(np.array([0.5, 0.5, 0.5, 0.5]), right) == 0.5
    assert auc(np.array([0.1, 0.2]), np.array([1.0, 1.0])) == 0.5


def test_calibration_error_is_the_distance_between_score_and_share() -> None:
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert calibration_error(right, right) == 0.0
    assert calibration_error(np.zeros(4), right) == pytest.approx(0.5)


def test_equal_width_bins_group_by_score_and_not_by_rank() -> None:
    scores = np.array([0.1, 0.3, 0.9, 1.0])
    right = np.array([0.0, 1.0, 1.0, 1.0])
    assert equal_width_calibration_error(scores, right, 2) == pytest.approx((0.6 + 0.1) / 4)
    assert equal_width_calibration_error(scores, right, 1) == pytest.approx(0.7 / 4)


def test_platt_scaling_recovers_the_probabilities() -> None:
    generator = np.random.default_rng(2)
    logits = generator.standard_normal(20_000) * 2
    probabilities = 1 / (1 + np.exp(-(0.5 * logits + 1)))
    right = (generator.random(20_000) < probabilities).astype(np.float64)
    assert fit_platt_scaling(logits, right) == pytest.approx((0.5, 1.0), abs=0.05)
    assert all(np.isfinite(fit_platt_scaling(np.array([-1.0, 1.0]), np.array([0.0, 1.0]))))


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1.0), (5, 5, 1.0), (6, 0, 0.03125)])
def test_sign_test_is_two_sided(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p)


def test_wilson_interval_of_66_in_100() -> None:
    low, high = wilson_interval(66, 100)
    assert (round(low, 2), round(high, 2)) == (0.56, 0.75)
