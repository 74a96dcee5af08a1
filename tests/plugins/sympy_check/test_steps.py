import time

import pytest

import sympy_check
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict
from sympy_check.solutions import check_solution
from sympy_check.steps import check_texts

H, W = "holds", "wrong"
JUDGED: list[tuple[str, list[str]]] = [
    # units
    ("3 km = 3000 m", [H]),
    ("3 km = 300 m", [W]),
    (r"So 2.5 \text{ kg} = 2500 \text{ g}.", [H]),
    ("0.75 hours = 45 minutes", [H]),
    ("0.75 hours = 40 minutes", [W]),
    ("100 minutes = 1.67 hours", [H]),
    ("2 kg * 3 = 6 kg", [H]),
    ("2 kg * 3 = 7 kg", [W]),
    ("150 cents = 1.5 dollars", [H]),
    # identities
    ("(x+1)^2 = x^2 + 2x + 1", [H]),
    (r"\[ \frac{x^2-1}{x-1} = x + 1 \]", [H]),
    (r"$f(x) = 2(x+3) + 4x = 6x + 6$", [H]),
    (r"\[ T = 2(x+3) + 4x = 6x + 3 \]", [W]),
    (r"\begin{align*} S &= (a+b)^2 \\ &= a^2 + b^2 + ab \end{align*}", [W]),
    # solutions
    ("2x + 1 = 7, so x = 3", [H]),
    ("2x + 1 = 7, so x = 4", [W]),
    (r"\[ 4y = 260 \] \[ \Rightarrow y = 40 \]", [W]),
    ("x^2 - 5x + 6 = 0, thus x = 2", [H]),
]
LEFT_ALONE = [
    "1 mile = 1.6 km",
    "1 day = 8 hours",
    "1 ton = 1000 pounds",
    "1 cup = 8 ounces",
    "2 hours 30 minutes = 150 minutes",
    "90 minutes = 1 hour and 30 minutes",
    "5 + 3 km = 5000 m",
    "5 minutes = 300",
    "not 3 km = 300 m",
    "(x+1)^2 = 2x + 5",
    "x^2 + 2x = 3x + 4",
    r"Setting them equal, \[ y = x^2 + 1 = 2x + 4 \]",
    r"-a - 112 = 0. Solving for $a$: \[ -a = 112 \] so \[ a = -112 \]",
    "2x + 1 = 7. Try x = 4.",
    "2x + 1 = 7. If x = 4, then we would have 9.",
    "3x = 10, so x = 3.33",
    "3x = 10, so x = 3",
    "60t = 3 hours, so t = 180 minutes",
    "x - 2 = 3 gives x = 5. The other case gives x = -1",
    "x + y = 5, so x = 1",
    r"\sin x + 2 = 3 = x + 5x",
    "f(x) + 1 = g(x) = 2x + 1",
    "x^n + 1 = x^2 + 1",
    "n! + 1 = 3n + 2",
    "x^2 = 2x + 3 = x + 9",
    "1/2x + 3x = 4x + 1 - x",
]


@pytest.fixture(scope="module", autouse=True)
def _workers_end() -> object:
    yield None
    sympy_check.close()


@pytest.mark.parametrize(("text", "expected"), JUDGED)
def test_steps_are_judged(text: str, expected: list[str]) -> None:
    assert [str(c.judgement) for c in check_texts([text]) if c.judgement != "skipped"] == expected


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_doubt_never_refutes(text: str) -> None:
    assert W not in [str(checked.judgement) for checked in check_texts([text])]


SOLUTIONS: list[tuple[str, str, str | None]] = [
    ("Solve for $x$: $2x+1=7$", "x = 3", H),
    ("Solve for $x$: $2x+1=7$", "3", H),
    ("Solve for $x$: $2x+1=7$", "4", W),
    ("If $3x-7=11$, what is the value of $x$?", r"\frac{18}{3}", H),
    ("Solve x^2 - 5x + 6 = 0.", "x = 2 or x = 3", H),
    ("Solve x^2 - 5x + 6 = 0.", "2, 4", W),
    ("Find all values of $x$ such that $x^2 = 4$.", "2", None),
    ("If $3x-7=11$, what is the value of $x+1$?", "7", None),
    ("If $3x=10$, what is $x$ rounded to the nearest tenth?", "3.3", None),
    ("Find $x$ if $3x=10$.", "3.33", None),
    ("Solve $x + y = 3$ for $x$.", "3", None),
    ("If $x + 1 = 3$ and $y = 4$, find $x$.", "3", None),
    ("Solve for $x$: $2x+1=7$", "x is unknown", None),
    ("What is 2 + 2?", "5", None),
]


@pytest.mark.parametrize(("question", "final", "expected"), SOLUTIONS)
def test_a_final_answer_is_put_into_the_question(
    question: str, final: str, expected: str | None
) -> None:
    found = check_solution(question, final)
    assert (str(found.judgement) if found else None) == expected


def verify(question: str, answer: str, final: str) -> Verdict:
    submission = Submission(answer=answer, final=final)
    verdict = sympy_check.verify(Problem(question=question), submission, 10)
    assert isinstance(verdict, Verdict)
    return verdict


def test_a_solution_that_was_put_in_verifies_the_answer() -> None:
    verdict = verify("Solve $2x+1=7$ for $x$.", "It is 3.", "x = 3")
    assert verdict.outcome is Outcome.PASS
    assert "x = 3 in 2x+1 = 7 gives the answer" in verdict.reason
    verdict = verify("Solve $2x+1=7$ for $x$.", "It is 4.", "x = 4")
    assert verdict.outcome is Outcome.FAIL
    assert "x is 3" in verdict.reason


def test_a_simplification_verifies_the_formula_it_ends_in() -> None:
    steps = "We get $(x+1)^2 - x^2 = 2x + 1$."
    assert verify("Simplify.", steps, "2x+1").outcome is Outcome.PASS
    assert verify("Simplify.", steps, "2x+2").outcome is Outcome.UNKNOWN


def test_one_step_is_checked_alone() -> None:
    passed = sympy_check.check_step("3 * 18 = 54 eggs", 10)
    assert passed.outcome is Outcome.PASS
    assert sympy_check.check_step("3 * 18 = 55 eggs", 10).outcome is Outcome.FAIL
    assert sympy_check.check_step("Let me think about it.", 10).outcome is Outcome.UNKNOWN


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["x+" * 50000, "x = " * 30000, r"\frac{" * 20000, "\n" * 10**5, "x(" * 50000, "5 km " * 20000,
     "5 km = 5 m " * 10000, "x^" * 50000, "9" * 10**6 + "x = 1", "$ $" * 40000,
     "2x = 4 so x = 2. " * 6000, "((x+1)^12)^12)^12 = x + 1", "x=" + "(" * 5000 + "x" + ")" * 5000],
)  # fmt: skip
def test_stays_linear(text: str) -> None:
    began = time.monotonic()
    check_texts([text])
    assert time.monotonic() - began < 20  # seconds are milliseconds unless it is quadratic
