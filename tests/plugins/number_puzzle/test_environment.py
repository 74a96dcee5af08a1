"""A number puzzle in small steps: the board, the rules, the formula."""

import pytest

import number_puzzle
from reasoner.answers.extraction import extract_final_answer
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission
from tests.plugins.number_puzzle.test_number_puzzle import NO_PUZZLES

PUZZLE = Problem(question="Use 13 5 10 13 to make 24")


def frame(*steps: str, problem: Problem = PUZZLE) -> EnvironmentState:
    found = number_puzzle.describe_environment(problem=problem, steps=steps)
    assert found is not None
    return found


def test_the_board_follows_the_steps() -> None:
    assert frame().state == "5 10 13 13"
    assert frame("13-10=3").state == "3 5 13"
    assert frame("13 - 10 = 3", "13/5=2.6").state == "2.6 3"
    assert frame("10-13=-3").state == "-3 5 13"
    assert frame("5-13=-8", "10--8=18").state == "13 18"
    assert [frame().choice_count, frame("13-10=3").choice_count] == [36, 18]


def test_equal_boards_are_equal_states() -> None:
    assert frame("13+5=18").state == frame("5+13=18").state


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (("13-10=4",), "13-10 is not 4"),
        (("13-9=4",), "9 is not among the numbers left"),
        (("5+5=10",), "5 is not among the numbers left"),
        (("13-13=0", "5/0=0"), "divides by zero"),
        (("8/3=2.67",), "8 is not among"),
        (("13/10=1.33",), "13/10 is not 1.33"),
        (("let us think",), "not a step"),
        (("1" * 5000,), "not a step"),
        (("१३-१०=३",), "not a step"),
        (("13-10=3", "13+5=18", "3+18=21"), "21 is left, not 24"),
    ],
)
def test_steps_that_cannot_stand(steps: tuple[str, ...], why: str) -> None:
    refuted = frame(*steps).refutation
    assert refuted is not None
    assert refuted.outcome is Outcome.FAIL
    assert why in refuted.reason
    assert len(refuted.reason) < 200
    assert frame(*steps).answer == ""


def test_the_steps_spell_a_formula_that_the_check_passes() -> None:
    answer = frame("13-10=3", "13-5=8", "8*3=24").answer
    assert answer == "(13 - 5) * (13 - 10) = 24"
    submission = Submission(answer=answer, final=extract_final_answer(answer))
    verdict = number_puzzle.verify(problem=PUZZLE, submission=submission)
    assert verdict is not None
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize("question", ["Use 3 4 5 6 to make 24", "Use 3 4 90 to make 99"])
def test_the_examples_keep_to_the_rules(question: str) -> None:
    """Each is a solved puzzle, in the words in which the question is asked."""
    asked = frame(problem=Problem(question=question)).prompt_problem
    turns = [turn.content for turn in asked.history]
    for puzzle, reply in zip(turns[::2], turns[1::2], strict=True):
        numbers, target = puzzle.split(" make ")
        lines = reply.splitlines()
        solved = frame(*lines[::2], problem=Problem(question=f"Use {numbers} to make {target}"))
        assert solved.answer.endswith(f" = {target}")
    assert asked.question.startswith("3 4 ")


@pytest.mark.parametrize("question", [*NO_PUZZLES, "Use 1 2 3 4 5 6 7 8 to make 24"])
def test_other_questions_are_not_framed(question: str) -> None:
    assert number_puzzle.describe_environment(problem=Problem(question=question), steps=()) is None
