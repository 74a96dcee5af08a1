"""Problems: what can be reached from them, and that their answers are what they say."""

from random import Random

import pytest

import number_puzzle
from number_puzzle.puzzle import recognise_puzzle
from reasoner.answers.extraction import extract_final_answer
from reasoner.datagen.puzzles.arithmetic import Arithmetic
from reasoner.datagen.puzzles.equation import Equation
from reasoner.datagen.puzzles.puzzle import (
    NumberPuzzle,
    is_game_of_24,
    sample_countdown,
    sample_game_of_24,
)
from reasoner.datagen.puzzles.record import KINDS
from reasoner.datagen.puzzles.task import Move, PuzzleTask
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission


def finished(task: PuzzleTask) -> list[Move]:
    """Moves that reach the answer, found by trying."""
    state, found = task.start, []
    while not task.is_solved(state):
        state, move = next((m.state, m) for m in task.moves(state) if task.is_solvable(m.state))
        found.append(move)
    return found


def judged(question: str, answer: str) -> Outcome:
    submission = Submission(answer=answer, final=extract_final_answer(answer))
    verdict = number_puzzle.verify(problem=Problem(question=question), submission=submission)
    assert verdict is not None, question
    return verdict.outcome


@pytest.mark.parametrize("kind", ["countdown3", "countdown4", "make24"])
def test_a_puzzles_own_answer_passes_the_plugin(kind: str) -> None:
    random = Random(kind)
    for _ in range(300):
        task = KINDS[kind](random)
        assert judged(task.question, task.answer(finished(task))) is not Outcome.FAIL
        puzzle = recognise_puzzle(task.question)
        assert puzzle is not None, task.question
        assert sorted(map(str, puzzle.numbers)) == sorted(task.start.split())
        assert str(puzzle.target) == task.expect


def test_a_solution_unfolds_into_one_formula() -> None:
    task = NumberPuzzle("countdown4", (4, 7, 8, 8), 24, Random(1))
    moves = [Move("8 / 8 = 1", "7 4 1"), Move("7 - 1 = 6", "6 4"), Move("6 * 4 = 24", "24")]
    assert task.derivation(moves) == ", so (7 - 1) * 4, so (7 - (8 / 8)) * 4"
    assert task.answer(moves) == "(7 - (8 / 8)) * 4 = 24"


def test_what_two_numbers_make_is_seen_at_a_glance() -> None:
    task = NumberPuzzle("countdown3", (44, 19, 35), 98, Random(0))
    assert task.observation("63 35") == ", left 63 35, gives 98 28"
    assert task.observation("12 4") == ", left 12 4, gives 16 8 48 3"
    assert task.is_solvable("63 35")
    assert not task.is_solvable("63 34")
    assert task.reflection("63 34", believed_solvable=False) == "out of reach"


def test_the_game_of_24_is_kept_for_measuring() -> None:
    random = Random(3)
    for _ in range(300):
        for task in (sample_game_of_24(random), sample_countdown(4, random)):
            assert not is_game_of_24(task.numbers, task.target)
    assert is_game_of_24((4, 7, 8, 8), 24)


def test_the_order_of_operations_is_what_arithmetic_turns_on() -> None:
    task = Arithmetic("2 + 3 * (4 - 1)", Random(0))
    assert task.expect == "11"
    states = {move.text: task.is_solvable(move.state) for move in task.moves(task.start)}
    assert states == {"2 + 3 = 5": False, "4 - 1 = 3": True}
    assert task.is_solvable("2 + 3 * 3")
    assert not task.is_solvable("5 * 3")
    assert task.moves("(4 - 1)")[0].state == "3"


def test_an_equation_is_solved_and_its_slips_are_unsound() -> None:
    task = Equation("3x + 5 = 20", 5, Random(0))
    sound = {move.state: task.is_solvable(move.state) for move in task.moves("3x + 5 = 20")}
    assert sound == {"3x = 15": True, "3x = 25": False}
    assert {m.state: task.is_solvable(m.state) for m in task.moves("3x = 15")} == {
        "x = 5": True,
        "x = 12": False,
    }
    assert task.is_solved("x = 5")
    assert task.is_solvable(task.start)


@pytest.mark.parametrize("kind", KINDS)
def test_moves_never_lead_back(kind: str) -> None:
    random = Random(kind)
    for _ in range(30):
        task = KINDS[kind](random)
        assert task.is_solvable(task.start)
        assert not task.is_solved(task.start)
        seen = {task.start}
        frontier = [task.start]
        while frontier:
            state = frontier.pop()
            after = {move.state for move in task.moves(state)}
            assert all(len(s) <= len(state) + 4 for s in after)
            frontier += [s for s in after - seen if len(seen) < 500]
            seen |= after
        assert any(map(task.is_solved, seen))
