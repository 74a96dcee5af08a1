"""Graphs and the paths through them: marks that are true, backtracks that are real."""

from random import Random

import networkx
import pytest

from reasoner.datagen.puzzles.grammar import reply_text, solution_visits
from reasoner.datagen.puzzles.graph import ReasoningGraph, build_reasoning_graph
from reasoner.datagen.puzzles.record import KINDS, path_record
from reasoner.datagen.puzzles.reward import STEP_COST, state_potential, step_rewards
from reasoner.datagen.puzzles.walk import PathParameters, sample_path

WRONG = PathParameters(
    right_move_bias=0.0, false_belief_rate=0.9, max_wrong_steps=4.0, max_steps=30
)


@pytest.fixture(params=KINDS)
def graph(request: pytest.FixtureRequest) -> ReasoningGraph:
    random = Random(request.param)
    return build_reasoning_graph(KINDS[request.param](random), random)


def test_a_graph_is_acyclic_and_its_marks_are_true(graph: ReasoningGraph) -> None:
    task, nodes = graph.task, graph.nodes
    assert networkx.is_directed_acyclic_graph(nodes)
    goals = [state for state in nodes if task.is_solved(state)]
    leads = set(goals).union(*(networkx.ancestors(nodes, goal) for goal in goals))
    assert {state for state in nodes if graph.is_solvable(state)} == leads
    ids = [nodes.nodes[state]["id"] for state in nodes]
    assert sorted(ids) == list(range(len(nodes)))
    assert nodes.nodes[task.start]["depth"] == 0
    assert all(nodes.nodes[goal]["distance"] == 0 for goal in goals)


def test_equal_states_are_one_node() -> None:
    random = Random(5)
    graphs = [build_reasoning_graph(KINDS["countdown4"](random), random) for _ in range(10)]
    assert any(graph.nodes.in_degree(state) > 1 for graph in graphs for state in graph.nodes)


def test_a_path_ends_at_the_answer_and_its_backtracks_are_real(graph: ReasoningGraph) -> None:
    task = graph.task
    for seed in range(20):
        visits = sample_path(graph, Random(seed), WRONG)
        assert visits[-1].decision == "end"
        assert task.is_solved(visits[-1].move.state)
        open_states = [task.start]
        tried = set()
        for visit in visits:
            assert visit.state in open_states
            assert (visit.state, visit.move.state) not in tried
            assert visit.move in task.moves(visit.state)
            assert visit.solvable == task.is_solvable(visit.move.state)
            tried.add((visit.state, visit.move.state))
            del open_states[open_states.index(visit.state) + 1 :]
            if visit.decision == "proceed":
                open_states.append(visit.move.state)
            elif visit.decision == "backtrack":
                assert not visit.solvable
        moves = solution_visits(visits)
        assert [task.start, *(m.state for m in moves)][-1] == visits[-1].move.state
        assert len(moves) <= len(visits)


def test_wrong_turns_come_as_often_as_the_habit_says() -> None:
    random = Random(2)
    wrong = {aim: 0 for aim in (0.1, 0.9)}
    for _ in range(60):
        graph = build_reasoning_graph(KINDS["countdown3"](random), random)
        for aim in wrong:
            visits = sample_path(graph, random, PathParameters(right_move_bias=aim))
            wrong[aim] += sum(not visit.solvable for visit in visits)
    assert wrong[0.1] > 3 * wrong[0.9] > 0


def test_potentials_are_what_the_formula_promises(graph: ReasoningGraph) -> None:
    nodes = graph.nodes.nodes
    for state in nodes:
        value = state_potential(graph, state)
        assert 0.0 <= value <= 1.0
        assert (value > 0) == (graph.is_solvable(state) and state != graph.task.start)
        assert (value == 1.0) == graph.task.is_solved(state)
    assert state_potential(graph, "nowhere") == 0.0


def test_rewards_add_up_to_where_the_path_ends(graph: ReasoningGraph) -> None:
    for seed in range(10):
        visits = sample_path(graph, Random(seed), WRONG)
        rewards = step_rewards(graph, [(v.state, v.move.state) for v in visits])
        assert sum(rewards) == pytest.approx(1.0 - STEP_COST * len(visits))
        assert sum(rewards[:-1]) < sum(rewards)


def test_degrees_and_distances_move_the_potential() -> None:
    """Two nodes with everything equal but one thing."""
    nodes = networkx.DiGraph()
    task = KINDS["countdown3"](Random(0))
    for name, depth, distance in (("near", 2, 1), ("far", 2, 3), ("busy", 2, 1), ("known", 2, 1)):
        nodes.add_node(name, right=True, depth=depth, distance=distance, id=0)
        nodes.add_edge("in", name)
        nodes.add_edge(name, f"{name} on")
    nodes.add_edge("busy", "on again")
    nodes.add_edge("in again", "known")
    graph = ReasoningGraph(task, nodes)
    value = {name: state_potential(graph, name) for name in ("near", "far", "busy", "known")}
    assert value["far"] < value["near"]
    assert value["busy"] < value["near"] < value["known"]


def test_a_landed_path_answers_with_what_it_has() -> None:
    random = Random(11)
    graph = build_reasoning_graph(KINDS["countdown3"](random), random)
    visits = sample_path(graph, random, PathParameters(right_move_bias=0.0))
    dead = [visit for visit in visits if not visit.solvable][:1]
    assert reply_text(graph.task, dead).endswith(graph.task.failure_reply())
    seen = visits[:-1]  # two numbers are left, and what they make is written there
    assert graph.task.is_outcome_visible(seen[-1].move.state)
    assert reply_text(graph.task, seen).endswith(graph.task.answer(solution_visits(visits)))
    line = path_record(graph, seen, 0, truncated=True)
    assert [step.right for step in line.steps] == [visit.solvable for visit in seen]
