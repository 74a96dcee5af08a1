"""The arithmetic of a vote, against values computed by hand."""

import pytest

from reasoner.operators.vote import decided, posterior, shares, top_two


def test_the_posterior_of_the_leader() -> None:
    """For whole counts 1 − I₀.₅(a+1, b+1) is P(Bin(a+b+1, ½) ≤ a)."""
    assert posterior(0, 0) == pytest.approx(1 / 2)
    assert posterior(1, 0) == pytest.approx(3 / 4)
    assert posterior(3, 0) == pytest.approx(15 / 16)
    assert posterior(4, 0) == pytest.approx(31 / 32)
    assert posterior(3, 1) == pytest.approx(26 / 32)
    assert posterior(2, 2) == pytest.approx(1 / 2)
    assert posterior(2.5, 0) < posterior(3, 0)


@pytest.mark.parametrize(
    ("weights", "left", "over"),
    [
        ([], 3, False),
        ([], 0, True),
        ([3, 0], 13, False),  # 0.9375
        ([4], 12, True),  # 0.96875
        ([4, 1], 11, False),  # 0.890625
        ([3, 1], 1, True),  # the one vote left cannot overturn it
        ([3, 1], 2, False),
        ([2, 2], 0, False),
        ([0, 0], 5, False),
    ],
)
def test_when_a_vote_is_decided(weights: list[float], left: float, over: bool) -> None:
    assert decided(weights, left, 0.95) is over


def test_shares_and_the_top_two() -> None:
    assert shares([3, 1]) == [0.75, 0.25]
    assert shares([0, 0]) == [0.5, 0.5]
    assert shares([]) == []
    assert top_two([1, 5, 2]) == (5, 2)
    assert top_two([4]) == (4, 0)
