"""A model's own replies: read back, judged, and mended where they went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from reasoner.datagen.puzzles.correct import corrected_path
from reasoner.datagen.puzzles.follow import parse_reply
from reasoner.datagen.puzzles.grammar import reply_text
from reasoner.datagen.puzzles.graph import ReasoningGraph, build_reasoning_graph
from reasoner.datagen.puzzles.puzzle import NumberPuzzle
from reasoner.datagen.puzzles.record import KINDS
from reasoner.datagen.puzzles.walk import PathParameters, Visit, sample_path

ERRING = PathParameters(right_move_bias=0.3, false_belief_rate=0.5)


@pytest.fixture(params=KINDS)
def graph(request: pytest.FixtureRequest) -> ReasoningGraph:
    random = Random(request.param)
    return build_reasoning_graph(KINDS[request.param](random), random)


def test_what_was_written_is_read_back(graph: ReasoningGraph) -> None:
    for seed in range(10):
        visits = sample_path(graph, Random(seed), ERRING)
        found = parse_reply(graph.task, f"{reply_text(graph.task, visits)}<|im_end|>")
        assert found.visits == tuple(visits)
        assert found.solved
        assert found.is_legal


def test_a_false_result_is_where_legality_ends() -> None:
    random = Random(0)
    graph = build_reasoning_graph(KINDS["countdown3"](random), random)
    visits = sample_path(graph, random, PathParameters(right_move_bias=0.0))
    text = reply_text(graph.task, visits)
    first = visits[0].move.text
    false = f"{first.rpartition(' ')[0]} {int(first.rpartition(' ')[2]) + 1}"
    found = parse_reply(graph.task, text.replace(first, false, 1))
    assert found.visits == ()
    assert found.steps == len(visits)
    assert not found.solved
    twice = text.split("<|reasoning_step_end|>")[0]
    again = f"{twice}<|reasoning_step_end|><|reasoning_backtrack|>"
    repeated = again + again.removeprefix("<|reasoning_start|>") + "<|reasoning_end|>x"
    assert len(parse_reply(graph.task, repeated).visits) == 1


def test_garbage_is_no_path(graph: ReasoningGraph) -> None:
    for text in ("", "hello", "<|reasoning_start|><|reasoning_end|>4", "<|reasoning_end|>"):
        found = parse_reply(graph.task, text)
        assert (found.visits, found.steps, found.solved) == ((), 0, False)


def test_a_false_belief_is_mended_and_the_path_goes_on_from_there(graph: ReasoningGraph) -> None:
    task = graph.task
    for seed in range(10):
        visits = sample_path(graph, Random(seed), ERRING)
        spoilt = [_despairing(visit) if visit.solvable else visit for visit in visits]
        wider, path = corrected_path(graph, spoilt, Random(seed), ERRING)
        assert path[-1].decision == "end"
        assert task.is_solved(path[-1].move.state)
        before = next(i for i, visit in enumerate(visits) if visit.solvable)
        assert path[: before + 1] == visits[: before + 1]
        assert all(
            visit.is_belief_correct or not task.is_outcome_visible(visit.move.state)
            for visit in path
        )
        assert parse_reply(task, reply_text(task, path)).solved
        assert set(graph.nodes) <= set(wider.nodes)


def test_a_sound_path_is_kept_as_it_is(graph: ReasoningGraph) -> None:
    visits = sample_path(graph, Random(1), ERRING)
    assert corrected_path(graph, visits, Random(2), ERRING)[1] == visits


def test_what_a_policy_really_did_can_always_be_gone_on_with() -> None:
    """It comes to states that no graph had, which are dead and look alive, and it leaves states
    from which it could have won."""
    task = NumberPuzzle("make24", (8, 16, 2, 3), 24, Random(0))
    for seed in range(60):
        random = Random(seed)
        visits = list(_wandering(task, random, length=1 + seed % 6))
        _, path = corrected_path(build_reasoning_graph(task, random), visits, random, ERRING)
        assert task.is_solved(path[-1].move.state)


def _wandering(task: NumberPuzzle, random: Random, length: int) -> Iterator[Visit]:
    """Moves as `follow` would find them, with beliefs and decisions by chance."""
    branch, tried = [task.start], set[tuple[str, str]]()
    for _ in range(length):
        state = random.choice([state for state in branch if state.count(" ")])
        moves = [move for move in task.moves(state) if (state, move.state) not in tried]
        move = random.choice(moves)
        tried.add((state, move.state))
        hopeful = random.random() < 0.8
        yield Visit(
            state,
            move,
            hopeful,
            "proceed" if hopeful else "backtrack",
            task.is_solvable(move.state),
        )
        del branch[branch.index(state) + 1 :]
        branch += [move.state] if hopeful else []


def _despairing(visit: Visit) -> Visit:
    return replace(visit, believed_solvable=False, decision="backtrack")
