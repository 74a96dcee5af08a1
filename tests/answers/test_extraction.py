import time

import pytest

from reasoner.answers.extraction import (
    MAX_ANSWER_CHARACTERS,
    code_blocks,
    extract_final_answer,
    extract_unambiguous_answer,
    without_code,
)

ANSWERS = [
    ("…So the total is $\\boxed{18}$.", "18"),
    ("**Final answer:** 42 apples", "42 apples"),
    ("**Final answer: 17**", "17"),
    ("### Final Answer\n\n\\(\\frac{1}{2}\\)", "\\frac{1}{2}"),
    ("**Final Answer**\n\\boxed{004}", "004"),
    ("Final answer:\n\n**Yes**", "Yes"),
    ("The answer is (B).", "(B)"),
    ("The answer is A", "A"),
    ("x \\boxed{\\frac{1}{\\sqrt{2}}} y", "\\frac{1}{\\sqrt{2}}"),
    ("\\boxed{5} is wrong. So we get \\boxed{7}.", "7"),
    ("\\(\\boxed{1}\\) and \\(\\boxed{-2}\\).", "1, -2"),
    ("It is \\boxed{50\\%}.", "50\\%"),
    ("\\boxed{\\$18.90}", "$18.90"),
    ("= \\boxed{200}$. Final Answer: The final answer is $255$. I hope it is correct.", "255"),
    ("Final Answer: The final answer is $10,455$. I hope it is correct.", "10,455"),
    ("Final Answer: The largest $n$ is 34.", "34"),
    ("Final Answer: Jane started growing Sphere 3 hours ago.", "3"),
    ("Final answer: $\\frac{3}{4}$ of the pizza is left.", "\\frac{3}{4}"),
    ("So the final answer is 25% of the total.", "25%"),
    ("**Answer:** $x = 3$", "x = 3"),
    ("The answer is **18 dollars**.", "18 dollars"),
    ("#### 72", "72"),
    ("#### Step 3: add\n5 + 5 = 10", "10"),
    ("```\n42\n```", "42"),
    ("```python\nprint(1)\n```\nanswer: 5 * 2", "5 * 2"),
    ("The total cost is $1,234.50.", "$1,234.50"),
    ("It took 3/4 of a day", "3/4"),
    ("Therefore $x < 5$ is the solution.", "x < 5"),
    ("$19, 46, and 82$", "19, 46, and 82"),
    ("$21,16$ or $11$", "21,16 or 11"),
    ("1 000", "1 000"),
    ("(p,q)=(3,2)", "(p,q)=(3,2)"),
    ("3 * 4 = 12", "12"),
    ("It costs $5 and then $6 more", "$6"),
    ("in $[0,1)$ there are 7", "7"),
    ("Identity: $ \\begin{pmatrix}1\\end{pmatrix} $", "\\begin{pmatrix}1\\end{pmatrix}"),
    ("\\boxed{1} papers and \\boxed{2} bins", "1, 2"),
    ("\\($y_1 = \\boxed{3x} \\) and \\( y_2 = \\boxed{4x} \\)", "3x, 4x"),
    ("\\boxed{3} hence the result \\boxed{4}", "4"),
    ("The largest is 19. <|im_start|>user", "19"),
    ("nothing here", None),
    ("\\boxed{unclosed", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "answer"), ANSWERS)
def test_finds_the_final_answer(text: str, answer: str | None) -> None:
    assert extract_final_answer(text) == answer


def test_finds_python_blocks_even_unclosed_ones() -> None:
    text = "a\n```python\nx = 1\n```\nb\n```js\nq\n```\n```\nplain words\n```\n~~~\ny = 2\n"
    assert code_blocks(text) == ("x = 1\n", "y = 2\n")


def test_prose_is_what_stands_outside_of_fences() -> None:
    assert "print" not in without_code("see\n```python\nprint(1)\n```\nend")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["\\boxed{", "{", "final answer ", "9", "$", "\n", "```\n", "1,", "#### \n", "*", "is ", ". A"],
)
def test_stays_linear_and_bounded_on_a_megabyte(piece: str) -> None:
    """A text eight times as long takes eight times as long, not sixty-four times."""
    short, long = (piece * (length // len(piece)) for length in (125_000, 1_000_000))
    assert _seconds(long) < 24 * _seconds(short) + 0.5
    assert len(extract_final_answer(long) or "") <= MAX_ANSWER_CHARACTERS


def _seconds(text: str) -> float:
    """The processor time of one extraction."""
    began = time.thread_time()
    extract_final_answer(text)
    return time.thread_time() - began


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (r"So it is \boxed{12}.", "12"),
        ("The answer is 20.", "20"),
        ("(32 - 8) * 4 = 96", "96"),
        ("First 8 / 8 = 1.\nThen 4 * 6 = $24$.", "24"),
        ("391", "391"),
        ("It makes 391, since 340 and 51 do, 51 being 17 by 3", None),
        ("Take 6 of the 4.", None),
        ("", None),
        ("= " * 5000 + "7", "7"),
    ],
)
def test_only_what_a_reply_states_is_its_stated_answer(text: str, stated: str | None) -> None:
    assert extract_unambiguous_answer(text) == stated
