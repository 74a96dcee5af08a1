"""The arithmetic of a vote, against values computed by hand."""

import pytest

from reasoner.search.operators.vote import (
    is_vote_decided,
    lead_probability,
    top_two_weights,
    weight_shares,
)


@pytest.mark.parametrize(
    ("lead", "second", "left", "kept"),
    [
        (1, 0, 0, 1),
        (2, 2, 0, 1 / 2),
        (1, 0, 1, 2 / 3 + 1 / 3 / 2),
        (2, 0, 1, 1),
        (2, 0, 2, 1 - 1 / 4 * 2 / 5 / 2),
        (0, 0, 7, 1 / 2),
        (3, 1, 4000, 26 / 32),  # in the limit 1 - I_0.5(a + 1, b + 1) = P(Bin(a + b + 1, 1/2) <= a)
        (4, 0, 4000, 31 / 32),
    ],
)
def test_how_likely_a_lead_lasts(lead: float, second: float, left: int, kept: float) -> None:
    assert lead_probability(lead, second, left) == pytest.approx(kept, abs=1e-3)


def test_a_lead_lasts_the_likelier_the_longer_it_is() -> None:
    chances = [lead_probability(lead, 1.5, 6) for lead in (1.5, 2, 2.7, 3, 4)]
    assert chances == sorted(chances)
    assert chances[0] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("weights", "left", "over"),
    [
        ([], 3, False),
        ([], 0, True),
        ([2, 0], 14, False),
        ([4], 12, True),
        ([4, 1], 11, False),
        ([4, 1], 4, True),  # the same lead, but fewer votes are left
        ([4, 1, 4], 4, False),
        ([3, 1], 1, True),  # the one vote left cannot overturn it
        ([3, 1], 2, False),
        ([2, 2], 0, False),
        ([0, 0], 5, False),
    ],
)
def test_when_a_vote_is_decided(weights: list[float], left: float, over: bool) -> None:
    assert is_vote_decided(weights, left, 0.95) is over


def test_shares_and_the_top_two() -> None:
    assert weight_shares([3, 1]) == [0.75, 0.25]
    assert weight_shares([0, 0]) == [0.5, 0.5]
    assert weight_shares([]) == []
    assert top_two_weights([1, 5, 2]) == (5, 2)
    assert top_two_weights([4]) == (4, 0)
