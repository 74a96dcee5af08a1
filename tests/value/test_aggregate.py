"""A path's score from its steps' scores."""

import pytest

from reasoner.value.aggregate import Aggregation, aggregate_step_scores


@pytest.mark.parametrize(
    ("how", "expected"), [("min", 0.2), ("prod", 0.08), ("last", 0.5), ("mean", 0.5)]
)
def test_each_way_to_aggregate(how: Aggregation, expected: float) -> None:
    assert aggregate_step_scores([0.8, 0.2, 0.5], how) == pytest.approx(expected)


@pytest.mark.parametrize("how", ["min", "prod", "last", "mean"])
def test_a_path_without_steps_is_undecided(how: Aggregation) -> None:
    assert aggregate_step_scores([], how) == 0.5
