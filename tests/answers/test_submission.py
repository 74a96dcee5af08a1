import pytest

from reasoner.answers.submission import read_submission


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("1/2", "1/2"),
        (" 5 square meters\n", "5 square meters"),
        ("no solution", "no solution"),
        ("x^2 + 1", "x^2 + 1"),
        ("\\boxed{7}", "7"),
        ("The answer is 12.", "12"),
        ("So we get 42 apples", "42"),
        ("2 + 2 = 4\n\nThe result is 9, I think.\n\nFinal answer: 4", "4"),
    ],
)
def test_short_answers_and_whole_replies(text: str, final: str) -> None:
    assert read_submission(text).final == final


def test_programs_are_fenced_or_begin_like_one_or_are_said_to_be_one() -> None:
    assert read_submission("Here:\n```python\nx = 1\n```\n").code == ("x = 1\n",)
    bare = "def f(x):\n    return x\n"
    assert read_submission(bare).code == (bare,)
    assert read_submission("x = 3\nprint(x)", program=True).code == ("x = 3\nprint(x)",)
    for prose in ("for all x,\n2x = x + x", "# Solution\n\nIt is 4.", "from 2 to 4\n", "class 3\n"):
        assert read_submission(prose).code == ()
