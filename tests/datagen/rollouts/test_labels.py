"""Which steps count as right, and how much."""

from typing import Any

import pytest

from reasoner.datagen.rollouts.labels import HUMAN_LABEL_WEIGHT, INFERRED_LABEL_WEIGHT, label_steps
from reasoner.datagen.rollouts.solution import Solution


def solution(*steps: str, number: int = 0, problem: str = "p", **changes: Any) -> Solution:
    fields: dict[str, Any] = {
        "source": "sampled",
        "question": "3 boxes of 14 pens, 6 given away?",
        "answer": "36",
        "ends": tuple(range(1, len(steps) + 1)),
        "features": tuple(range(len(steps))),
        "right": False,
        "counts": ((0, 1),) * len(steps),
    }
    return Solution(problem=problem, number=number, steps=steps, **fields | changes)


def marks(*solutions: Solution) -> dict[int, tuple[float, float]]:
    found = label_steps(solutions)
    return {
        int(row): (float(right), float(weight))
        for row, right, weight in zip(found.rows, found.right, found.weights, strict=True)
    }


def test_a_right_solution_is_right_throughout() -> None:
    right = solution("3 * 14 = 42", "42 - 6 = 36", right=True, counts=((1, 1), (1, 1)))
    assert marks(right) == {0: (1, 1), 1: (1, 1)}


def test_what_a_person_wrote_and_what_was_made_wrong() -> None:
    human = solution("3 * 14 = 42", source="human", right=None, counts=())
    wrong = solution(
        "3 * 14 = 40", number=1, source="corrupted", counts=(), features=(7,), origin=0
    )
    assert marks(human, wrong) == {0: (1, 1), 7: (0, 1)}


def test_continuations_decide() -> None:
    tried = solution("a", "b", "c", counts=((1, 3), (0, 3), (0, 1)))
    assert marks(tried) == {0: (1, 1), 1: (0, 1), 2: (0, 0)}


def test_results_that_nobody_right_had_are_taken_for_the_error() -> None:
    right = solution("3 * 14 = 42", "= 36", right=True, counts=((1, 1),) * 2, features=(10, 11))
    wrong = solution("3 * 14 = 42", "42 + 6 = 48", "so it is 36", "48.", number=1)
    found = marks(right, wrong)
    assert [found[row] for row in range(4)] == [
        (1, INFERRED_LABEL_WEIGHT),
        (0, INFERRED_LABEL_WEIGHT),
        (0, 0),
        (0, 0),
    ]


def test_a_shared_state_is_right_when_one_says_so() -> None:
    wrong = solution("a", "b")
    right = solution("a", "c", number=1, right=True, counts=((1, 1),) * 2, features=(0, 9))
    assert marks(wrong, right)[0] == (1, 1)


@pytest.mark.parametrize("text", ["", "= = = 1,2,3,,", "=-" * 500, "x" * 10_000, "= 9" + "9" * 99])
def test_any_text_can_be_read(text: str) -> None:
    assert len(marks(solution(text, "b"))) == 2


def test_what_follows_an_error_counts_nothing() -> None:
    tried = solution("a", "b", "c", "d", counts=((1, 3), (0, 3), (0, 1), (0, 1)))
    assert marks(tried) == {0: (1, 1), 1: (0, 1), 2: (0, 0), 3: (0, 0)}


def test_what_a_person_judged() -> None:
    wrong = solution("a", "b", source="judged", right=False, counts=())
    right = solution("a", "b", source="judged", right=True, counts=(), problem="q", features=(2, 3))
    assert marks(wrong, right) == {
        0: (1, HUMAN_LABEL_WEIGHT),
        1: (0, HUMAN_LABEL_WEIGHT),
        2: (1, HUMAN_LABEL_WEIGHT),
        3: (1, HUMAN_LABEL_WEIGHT),
    }


def test_what_was_cut_off_is_not_wrong() -> None:
    cut = solution("a", "b", "c", counts=((1, 3), (0, 3), (0, 1)), finish="budget")
    assert marks(cut) == {0: (1, 1), 1: (0, 0), 2: (0, 0)}
