"""Questions that are sums: recognised when they are nothing else, and settled by their value."""

import pytest

import sympy_check
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict
from sympy_check.asked import asked_sum


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is 17 * 23?", "17 * 23"),
        ("17 * 23?", "17 * 23"),
        ("what's 2^10 ?", "2^10"),
        ("Compute (3 + 4) / 2.", "(3 + 4) / 2"),
        ("17 - (3 + 4) * 2 = ?", "17 - (3 + 4) * 2"),
        ("What is the value of $-5 + 3$?", "-5 + 3"),
        ("Calculate: 0.1 + 0.2", "0.1 + 0.2"),
        ("What is 6 × 7?", "6 × 7"),
        ("What is 17?", None),
        ("What is 3 + 4 apples?", None),
        ("What is 2024-11-21?", None),
        ("What is 12/05/2024?", None),
        ("What is the remainder of 17 / 5?", None),
        ("Use 4 7 8 8 to make 24", None),
        ("What is x + 4?", None),
        ("What is 2 + 3 = 6?", None),
        ("What is __import__('os').getpid() + 1?", None),
        ("1+" * 400 + "1", None),
        ("", None),
    ],
)
def test_what_is_a_sum(question: str, wanted: str | None) -> None:
    assert asked_sum(question) == wanted


def judge(question: str, answer: str, final: str, expect: str | None = None) -> Verdict:
    verdict = sympy_check.verify(
        problem=Problem(question=question, expect=expect),
        submission=Submission(answer=answer, final=final),
        seconds=5.0,
    )
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("question", "final", "outcome"),
    [
        ("What is 17 * 23?", "391", Outcome.PASS),
        ("What is 17 * 23?", "381", Outcome.FAIL),
        ("17 - (3 + 4) * 2 = ?", "3", Outcome.PASS),
        ("17 - (3 + 4) * 2 = ?", "20", Outcome.FAIL),
        ("What is 1/2 + 1/3?", r"\frac{5}{6}", Outcome.PASS),
        ("What is 1/3 + 1/3?", "0.67", Outcome.UNKNOWN),
        ("Compute 9^9^9^9.", "7", Outcome.UNKNOWN),
        ("Compute 1/(3 - 3).", "0", Outcome.UNKNOWN),
    ],
)
def test_a_sum_is_settled_by_its_value(question: str, final: str, outcome: Outcome) -> None:
    verdict = judge(question, f"The answer is {final}.", final)
    assert verdict.outcome is outcome, verdict.reason
    assert verdict.settles is (outcome is Outcome.PASS)


def test_sound_sums_on_the_way_do_not_save_a_wrong_answer() -> None:
    verdict = judge("17 - (3 + 4) * 2 = ?", "17 - 7 = 10, 10 * 2 = 20. The answer is 20.", "20")
    assert verdict.outcome is Outcome.FAIL
    assert "is not 20" in verdict.reason


def test_a_number_that_only_comes_last_is_not_refuted() -> None:
    verdict = judge("What is 17 * 23?", "It makes 391, since 340 and 51 do, 51 being 17 by 3", "3")
    assert verdict.outcome is Outcome.UNKNOWN


def test_a_known_answer_is_what_counts() -> None:
    verdict = judge("What is 17 * 23?", "391", "391", expect="381")
    assert (verdict.outcome, verdict.settles) == (Outcome.FAIL, False)
