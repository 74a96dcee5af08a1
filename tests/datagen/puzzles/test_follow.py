"""A model's own replies: read back, judged, and mended where they went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from reasoner.datagen.puzzles.correct import correct
from reasoner.datagen.puzzles.follow import follow
from reasoner.datagen.puzzles.grammar import reply
from reasoner.datagen.puzzles.graph import Graph, explore
from reasoner.datagen.puzzles.puzzle import Puzzle
from reasoner.datagen.puzzles.record import KINDS
from reasoner.datagen.puzzles.walk import Habits, Visit, walk

ERRING = Habits(aim=0.3, doubt=0.5)


@pytest.fixture(params=KINDS)
def graph(request: pytest.FixtureRequest) -> Graph:
    random = Random(request.param)
    return explore(KINDS[request.param](random), random)


def test_what_was_written_is_read_back(graph: Graph) -> None:
    for seed in range(10):
        visits = walk(graph, Random(seed), ERRING)
        found = follow(graph.task, f"{reply(graph.task, visits)}<|im_end|>")
        assert found.visits == tuple(visits)
        assert found.solved
        assert found.legal


def test_a_false_result_is_where_legality_ends() -> None:
    random = Random(0)
    graph = explore(KINDS["countdown3"](random), random)
    visits = walk(graph, random, Habits(aim=0.0))
    text = reply(graph.task, visits)
    first = visits[0].move.text
    false = f"{first.rpartition(' ')[0]} {int(first.rpartition(' ')[2]) + 1}"
    found = follow(graph.task, text.replace(first, false, 1))
    assert found.visits == ()
    assert found.steps == len(visits)
    assert not found.solved
    twice = text.split("<|reasoning_step_end|>")[0]
    again = f"{twice}<|reasoning_step_end|><|reasoning_backtrack|>"
    repeated = again + again.removeprefix("<|reasoning_start|>") + "<|reasoning_end|>x"
    assert len(follow(graph.task, repeated).visits) == 1


def test_garbage_is_no_path(graph: Graph) -> None:
    for text in ("", "hello", "<|reasoning_start|><|reasoning_end|>4", "<|reasoning_end|>"):
        found = follow(graph.task, text)
        assert (found.visits, found.steps, found.solved) == ((), 0, False)


def test_a_false_belief_is_mended_and_the_path_goes_on_from_there(graph: Graph) -> None:
    task = graph.task
    for seed in range(10):
        visits = walk(graph, Random(seed), ERRING)
        spoilt = [_despairing(visit) if visit.right else visit for visit in visits]
        wider, path = correct(graph, spoilt, Random(seed), ERRING)
        assert path[-1].decision == "end"
        assert task.solved(path[-1].move.state)
        before = next(i for i, visit in enumerate(visits) if visit.right)
        assert path[: before + 1] == visits[: before + 1]
        assert all(visit.honest or not task.evident(visit.move.state) for visit in path)
        assert follow(task, reply(task, path)).solved
        assert set(graph.nodes) <= set(wider.nodes)


def test_a_sound_path_is_kept_as_it_is(graph: Graph) -> None:
    visits = walk(graph, Random(1), ERRING)
    assert correct(graph, visits, Random(2), ERRING)[1] == visits


def test_what_a_policy_really_did_can_always_be_gone_on_with() -> None:
    """It comes to states that no graph had, which are dead and look alive, and it leaves states
    from which it could have won."""
    task = Puzzle("make24", (8, 16, 2, 3), 24, Random(0))
    for seed in range(60):
        random = Random(seed)
        visits = list(_wandering(task, random, length=1 + seed % 6))
        _, path = correct(explore(task, random), visits, random, ERRING)
        assert task.solved(path[-1].move.state)


def _wandering(task: Puzzle, random: Random, length: int) -> Iterator[Visit]:
    """Moves as `follow` would find them, with beliefs and decisions by chance."""
    branch, tried = [task.start], set[tuple[str, str]]()
    for _ in range(length):
        state = random.choice([state for state in branch if state.count(" ")])
        moves = [move for move in task.moves(state) if (state, move.state) not in tried]
        move = random.choice(moves)
        tried.add((state, move.state))
        hopeful = random.random() < 0.8
        yield Visit(
            state, move, hopeful, "proceed" if hopeful else "backtrack", task.alive(move.state)
        )
        del branch[branch.index(state) + 1 :]
        branch += [move.state] if hopeful else []


def _despairing(visit: Visit) -> Visit:
    return replace(visit, hopeful=False, decision="backtrack")
