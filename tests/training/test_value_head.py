"""A head learns what is there to be learnt, says how well, and is the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest

from reasoner.errors import UsageError
from reasoner.metrics import auc
from reasoner.training.logistic_regression import fit_logistic_regression
from reasoner.training.value_head import load_training_solutions, train_value_head
from tests.datagen.rollouts.studies import write_study


@pytest.mark.slow
def test_a_planted_signal_is_found(tmp_path: Path) -> None:
    study = load_training_solutions([write_study(tmp_path / "a.jsonl", problems=60)])
    head, report = train_value_head(study, 0)
    assert (report.problems, report.solutions, report.steps) == (60, 180, 487)
    assert report.auc > 0.8
    assert report.auc_outcome > 0.75
    assert report.ece < 0.1
    again, same = train_value_head(study, 0)
    assert same == report
    for (weight, bias), (other, bias_too) in zip(head.layers, again.layers, strict=True):
        assert np.array_equal(weight, other)
        assert np.array_equal(bias, bias_too)
    scores = head.scores(study.features)
    low = [score for score, state in zip(scores, study.features, strict=True) if state[0] < -2]
    assert np.mean(low) < np.mean(scores) - 0.1
    assert head.base_sha256 == "ab" * 32


@pytest.mark.slow
def test_noise_teaches_nothing(tmp_path: Path) -> None:
    study = load_training_solutions([write_study(tmp_path / "a.jsonl", signal=0.0)])
    assert train_value_head(study, 0)[1].auc < 0.65


def test_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 problems are too few"):
        train_value_head(
            load_training_solutions([write_study(tmp_path / "a.jsonl", problems=3)]), 0
        )


def test_files_of_two_models_are_not_mixed(tmp_path: Path) -> None:
    one = write_study(tmp_path / "a.jsonl", problems=2)
    other = write_study(tmp_path / "b.jsonl", problems=2, sha256="cd" * 32)
    assert len(load_training_solutions([one, one]).features) == 2 * len(
        load_training_solutions([one]).features
    )
    with pytest.raises(UsageError, match="another model_sha256"):
        load_training_solutions([one, other])


def test_a_line_finds_what_it_was_drawn_from() -> None:
    draw = np.random.default_rng(1)
    inputs = draw.standard_normal((4000, 3)).astype(np.float32) * (1, 10, 0.1) + (0, 5, 2)
    odds = inputs @ (1.0, -0.2, 5.0) - 9.5
    right = (draw.random(4000) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    line = fit_logistic_regression(inputs.astype(np.float32), right, np.ones(4000), 1.0)
    assert line.weight == pytest.approx((1.0, -0.2, 5.0), rel=0.2)
    assert line.bias == pytest.approx(-9.5, rel=0.2)
    pulled = fit_logistic_regression(inputs.astype(np.float32), right, np.ones(4000), 1e4)
    assert np.abs(pulled.weight).max() < np.abs(line.weight).max() / 3


def test_rows_of_no_weight_teach_nothing_and_constant_features_harm_nothing() -> None:
    draw = np.random.default_rng(3)
    inputs = np.hstack((draw.standard_normal((200, 1)), np.ones((200, 1)))).astype(np.float32)
    right = (inputs[:, 0] > 0).astype(np.float64)
    weights = np.ones(200)
    weights[100:] = 0
    line = fit_logistic_regression(inputs, right, weights, 1.0)
    right[100:] = 1 - right[100:]
    assert fit_logistic_regression(inputs, right, weights, 1.0).weight == pytest.approx(line.weight)
    assert auc(line(inputs[:100]), right[:100]) > 0.99
    apart = fit_logistic_regression(
        np.zeros((10, 2), np.float32), np.repeat((0.0, 1.0), 5), np.ones(10), 0.0
    )
    assert np.isfinite(apart.weight).all()
