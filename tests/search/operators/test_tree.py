"""Moving about in a tree: select, update, backtrack, restructure, against values by hand."""

from math import log, sqrt

import pytest

from reasoner.search.operators.backtrack import next_untried_node
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.restructure import best_leaf, first_steps
from reasoner.search.operators.select import PuctConstants, puct_score, select_leaf
from reasoner.search.operators.update import backpropagate
from reasoner.types.trajectory import Phase, Step, Trajectory

OPEN = Trajectory(prompt=(1,))
DONE = Trajectory(prompt=(1,), phase=Phase.DONE, answer="x")


def grow(
    parent: SearchNode, *qualities: float, visits: int = 1, trajectory: Trajectory = OPEN
) -> list[SearchNode]:
    children = [
        SearchNode(trajectory, 0, parent, q_value=q, visits=visits, score=q) for q in qualities
    ]
    parent.children += children
    return children


def test_puct_by_hand() -> None:
    parent = SearchNode(OPEN, 0, visits=10)
    [child] = grow(parent, 0.5, visits=3)
    bonus = sqrt(9) / 4 * (1.25 + log((10 + 19652) / 19652))
    found = puct_score(child, parent, low=0.25, high=0.75, exploration=PuctConstants())
    assert found == pytest.approx(0.5 + bonus)
    flat = puct_score(child, parent, low=0.5, high=0.5, exploration=PuctConstants())
    assert flat == pytest.approx(0.5 + bonus)


def test_a_walk_under_way_counts_as_a_visit_that_lost() -> None:
    parent = SearchNode(OPEN, 0, visits=10, pending_simulations=1)
    [child] = grow(parent, 0.75, visits=3)
    child.pending_simulations = 1
    found = puct_score(child, parent, low=0.25, high=0.75, exploration=PuctConstants(c1=0.0))
    scaled = ((3 * 0.75 + 0.25) / 4 - 0.25) / 0.5
    assert found == pytest.approx(scaled + sqrt(10) / 5 * log((11 + 19652) / 19652))


def test_select_goes_where_it_is_good_and_elsewhere_while_that_is_under_way() -> None:
    root = SearchNode(OPEN, 0, visits=3)
    good, bad = grow(root, 0.9, 0.1)
    assert select_leaf(root) == [root, good]
    root.pending_simulations = good.pending_simulations = 1
    assert select_leaf(root) == [root, bad]
    root.pending_simulations, bad.pending_simulations = 2, 1
    assert select_leaf(root) is None


def test_select_passes_by_what_is_settled() -> None:
    root = SearchNode(OPEN, 0, visits=4)
    good, bad = grow(root, 0.9, 0.1)
    grow(good, 0.9, 0.8, trajectory=DONE)
    assert select_leaf(root) == [root, bad]
    bad.pruned = True
    assert select_leaf(root) is None


def test_update_by_hand() -> None:
    root = SearchNode(OPEN, 0, visits=1, q_value=0.3)
    left, right = grow(root, 0.5, 0.2)
    grow(left, 0.8, 0.4, visits=2)
    backpropagate([root, left], discount=0.9)
    assert (root.visits, left.visits, right.visits) == (2, 2, 1)
    assert left.q_value == pytest.approx(0.9 * 0.6)
    assert root.q_value == pytest.approx((2 * 0.9 * 0.54 + 0.9 * 0.2) / 3)
    backpropagate([root], discount=0.9, rate=0.5)
    below = (2 * 0.9 * 0.54 + 0.9 * 0.2) / 3
    assert root.q_value == pytest.approx(below)
    backpropagate([right], discount=0.9)
    assert (right.visits, right.q_value) == (2, 0.2)


def test_update_ignores_what_was_pruned() -> None:
    root = SearchNode(OPEN, 0)
    good, bad = grow(root, 1.0, 0.0)
    bad.pruned = True
    backpropagate([root], discount=1.0)
    assert root.q_value == good.q_value == 1.0


def test_backtrack_finds_the_nearest_untried() -> None:
    root = SearchNode(OPEN, 0)
    first, second = grow(root, 0.6, 0.7, visits=0)
    first.visits = 1
    low, high, dead = grow(first, 0.2, 0.9, 0.1, visits=0)
    dead.visits = 1
    assert next_untried_node(dead) is high
    high.pruned = low.pruned = True
    assert next_untried_node(dead) is second
    second.visits = 1
    assert next_untried_node(dead) is None
    assert next_untried_node(root) is None


def test_a_tree_becomes_a_chain() -> None:
    root = SearchNode(OPEN, 0)
    left, right = grow(root, 0.5, 0.6)
    grow(left, 1.0)
    below = grow(right, 0.1, 0.2)
    assert best_leaf(root, lambda node: node.q_value) is below[1]
    right.pruned = True
    assert best_leaf(root, lambda node: node.q_value).parent is left


def test_the_head_of_a_path() -> None:
    steps = (Step(text="a", tokens=2), Step(text="b", tokens=1))
    trajectory = Trajectory(
        prompt=(9,),
        tokens=(1, 2, 3, 4),
        steps=steps,
        phase=Phase.DONE,
        answer="d",
        soft_stopped=True,
    )
    first = first_steps(trajectory, 1)
    assert (first.prompt, first.tokens, first.steps) == ((9,), (1, 2), steps[:1])
    assert (first.phase, first.answer, first.soft_stopped) == (Phase.REASONING, "", False)
    assert first_steps(trajectory, 2) is trajectory
