"""What can hardly be the answer to a question."""

import pytest

from reasoner.search.operators.plausible import is_plausible_answer

MANY, MUCH, OTHER = "How many eggs are left?", "So how much did she pay?", "What is 2 - 5?"


@pytest.mark.parametrize(
    ("question", "final", "likely"),
    [
        (MANY, "12", True),
        (MANY, "1,200", True),
        (MANY, "12.0", True),
        (MANY, "2.5", False),
        (MANY, "-3", False),
        (MANY, "0", True),
        (MUCH, "2.5", True),
        (MUCH, "$-2.50", False),
        (MUCH, "-3", False),
        (OTHER, "-3", True),
        (OTHER, "0.1", True),
        (MANY, "\\frac{1}{2}", True),
        (MANY, "a dozen", True),
        (MANY, "", True),
        (MANY, "9" * 400 + ".5", False),
        (MANY, "-0.0", True),
        (MUCH, "-$3", False),
    ],
)
def test_counts_are_whole_and_amounts_are_not_negative(
    question: str, final: str, likely: bool
) -> None:
    assert is_plausible_answer(question, final) is likely
