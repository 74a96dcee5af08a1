import random
import time
from fractions import Fraction

import pytest

import number_puzzle
from number_puzzle.formula import NotAFormula, parse_formula
from number_puzzle.puzzle import PuzzleQuestion, recognise_puzzle
from reasoner.answers.extraction import extract_final_answer
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

TINY_ZERO = (
    "Using the numbers [44, 19, 35], create an equation that equals 98. You can use basic "
    "arithmetic operations (+, -, *, /) and each number can only be used once. Return the final "
    "answer in <answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>."
)
D1 = (
    "Using only the provided numbers, create an arithmetic expression that evaluates to exactly "
    "the provided target number. You may use the operations +, -, *, and / as needed, but each "
    "number must be used exactly once. For example: \\boxed{a + b * c}\n\n"
    "Numbers: [74, 5, 20]\nTarget: 99"
)
QUESTIONS = [
    ("Use 4 7 8 8 to make 24", PuzzleQuestion((4, 7, 8, 8), 24, True)),
    ("Use the numbers 4, 7, 8 and 8 to get 24.", PuzzleQuestion((4, 7, 8, 8), 24, True)),
    ("Make 24 from 4 7 8 8", PuzzleQuestion((4, 7, 8, 8), 24, True)),
    (
        "Using the numbers 3, 5, 7, create an equation that equals 21.",
        PuzzleQuestion((3, 5, 7), 21, True),
    ),
    (TINY_ZERO, PuzzleQuestion((44, 19, 35), 98, None)),
    (D1, PuzzleQuestion((74, 5, 20), 99, True)),
    ("Game of 24: 4 7 8 8", PuzzleQuestion((4, 7, 8, 8), 24, True)),
    ("Use 24 10 26 2 to make 47.", PuzzleQuestion((24, 10, 26, 2), 47, True)),
    ("Make 49 out of 24 20 30 23", PuzzleQuestion((24, 20, 30, 23), 49, True)),
    ("Play the 24 game with 1, 5, 9 and 11.", PuzzleQuestion((1, 5, 9, 11), 24, True)),
    ("Combine 74, 5 and 20 with +, -, *, / to reach 99.", PuzzleQuestion((74, 5, 20), 99, True)),
    ("Can you reach 99 with 74, 5 and 20?", PuzzleQuestion((74, 5, 20), 99, True)),
    (
        "Numbers: 74, 5, 20. Target: 99. You need not use all of them. Write an expression.",
        PuzzleQuestion((74, 5, 20), 99, False),
    ),
    (
        "Use numbers and basic arithmetic operations (+ - * /) to obtain 24. Input: 4 9 10 13",
        PuzzleQuestion((4, 9, 10, 13), 24, True),
    ),
]
NO_PUZZLES = [
    "Using the digits 1, 2, 3, how many numbers equal to at least 200 can you make?",
    "A triangle has sides of 3, 4 and 5 cm. Its perimeter equals 12. What is its area?",
    "Tom takes 3, 4 and 5 apples home to make 12 pies. How many apples does a pie take?",
    "The average of 4, 7 and 8 is 24. True?",
    "Find x if 3, 5, x makes an arithmetic sequence with sum 24.",
    "What is 2 + 2?",
    "",
]


def judge(question: str, answer: str) -> Verdict | None:
    submission = Submission(answer=answer, final=extract_final_answer(answer))
    return number_puzzle.verify(problem=Problem(question=question), submission=submission)


@pytest.mark.parametrize(("question", "puzzle"), QUESTIONS)
def test_puzzles_are_recognised(question: str, puzzle: PuzzleQuestion) -> None:
    assert recognise_puzzle(question) == puzzle


@pytest.mark.parametrize("question", NO_PUZZLES)
def test_other_questions_are_left_alone(question: str) -> None:
    assert recognise_puzzle(question) is None
    assert judge(question, "6 * (8 - 4) = 24") is None


REPLIES = [
    ("(7 - 8/8) * 4", Outcome.PASS),
    ("(7 - 8/8) * 4 = 24", Outcome.PASS),
    ("So the answer is $(7 - \\frac{8}{8}) \\times 4 = 24$.", Outcome.PASS),
    ("\\boxed{4 \\times (7 - 8 \\div 8)}", Outcome.PASS),
    ("First 8/8 = 1, then 7 - 1 = 6.\n4 × (7 − 8 ÷ 8) = 24", Outcome.PASS),
    ("<answer>4*(7-8/8)</answer>", Outcome.PASS),
    ("Final answer: 24 = (7 - 8/8)(4)", Outcome.PASS),
    ("(7 + 8/8) * 4 = 24", Outcome.FAIL),
    ("\\boxed{6 * 4}", Outcome.FAIL),
    ("\\boxed{8 + 8 + 8}", Outcome.FAIL),
    ("\\boxed{(7 - 8/8) * 4 + 8 - 8}", Outcome.FAIL),
    ("\\boxed{4 * 7 / (8 - 8)}", Outcome.FAIL),
    ("The answer is 24.", Outcome.UNKNOWN),
    ("(32 - 8) * 4 = 96", Outcome.FAIL),
    ("The answer is 25.", Outcome.FAIL),
    ("Take four times six, where six is seven less 8 over 8", Outcome.UNKNOWN),
    ("I could not find one.", Outcome.UNKNOWN),
    ("", Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("answer", "outcome"), REPLIES)
def test_replies_are_judged(answer: str, outcome: Outcome) -> None:
    verdict = judge("Use 4 7 8 8 to make 24", answer)
    assert verdict is not None
    assert verdict.outcome is outcome, verdict.reason


@pytest.mark.parametrize(
    ("wording", "outcome"),
    [
        ("Use 4 7 8 25 to make 32.", Outcome.FAIL),
        ("Use 4 7 8 25 to make 32; you need not use all of them.", Outcome.PASS),
        ("Use 4 7 8 25 to make 32. Each number can only be used once.", Outcome.UNKNOWN),
    ],
)
def test_leaving_numbers_out_is_judged_by_the_wording(wording: str, outcome: Outcome) -> None:
    verdict = judge(wording, "\\boxed{25 + 7}")
    assert verdict is not None
    assert verdict.outcome is outcome


def _random_formula(numbers: list[int], dice: random.Random) -> tuple[str, Fraction] | None:
    parts: list[tuple[str, Fraction]] = [(str(number), Fraction(number)) for number in numbers]
    while len(parts) > 1:
        (left, a), (right, b) = (parts.pop(dice.randrange(len(parts))) for _ in range(2))
        sign = dice.choice("+-*/")
        if sign == "/" and b == 0:
            return None
        value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[sign]
        parts.append((f"({left} {sign} {right})", value))
    return parts[0]


def test_random_puzzles_pass_with_their_solution_and_fail_with_any_other_target() -> None:
    dice = random.Random(7)
    judged = 0
    while judged < 300:
        numbers = [dice.randint(1, 99) for _ in range(dice.choice([3, 4]))]
        made = _random_formula(numbers, dice)
        if made is None or made[1].denominator != 1 or abs(made[1]) > 9999:
            continue
        judged += 1
        listed = ", ".join(map(str, numbers))
        for off, outcome in ((0, Outcome.PASS), (1, Outcome.FAIL)):
            question = f"Using the numbers {listed}, create an equation that equals {made[1] + off}"
            verdict = judge(question, f"\\boxed{{{made[0]}}}")
            assert verdict is not None
            assert verdict.outcome is outcome, (question, made)


@pytest.mark.parametrize(
    "text",
    ["1 +", "2 ** 3", "2 ^ 3", "1.5 + 2", "4!", "f(3)", "__import__('os')", "４ + ４", "()", "1 2",
     "(" * 200, "1+" * 140 + "1", "9999999 + 1", "\\frac{1}", ""],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(NotAFormula):
        parse_formula(text)


@pytest.mark.parametrize("piece", ["1+", "(", "Use 4 ", "4, ", " = ", "\\frac{", "9", "make 24 "])
def test_stays_linear(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    began = time.monotonic()
    judge("Use 4 7 8 8 to make 24", text)
    judge(text, "6 * 4")
    assert time.monotonic() - began < 20  # well under a second unless it is quadratic


def test_health_solves_a_puzzle() -> None:
    assert number_puzzle.health()["ok"] is True


@pytest.mark.parametrize(
    ("answer", "proves"),
    [("(7 - 8/8) * 4 = 24", True), ("(7 + 8/8) * 4 = 24", False), ("It is 24.", False)],
)
def test_only_a_formula_settles_the_question(answer: str, proves: bool) -> None:
    verdict = judge("Use 4 7 8 8 to make 24", answer)
    assert verdict is not None
    assert verdict.is_proof is proves
