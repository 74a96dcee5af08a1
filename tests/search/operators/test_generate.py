"""Growing a structure: children, refuted steps, equal steps."""

from importlib.metadata import EntryPoint
from pathlib import Path

from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import merge_duplicates
from reasoner.search.operators.refine import resample_step
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Phase, Step
from reasoner.types.trajectory import Trajectory as Line
from tests.search.operators.picky import refutes
from tests.workbench import workbench

PICKY = EntryPoint("picky", "tests.search.operators.picky", "reasoner")
PROBLEM = Problem(question="How many?")


def said(*steps: str, answer: str = "") -> SearchNode:
    phase = Phase.DONE if answer else Phase.REASONING
    trajectory = Line(
        prompt=(1,), steps=tuple(Step(text=s) for s in steps), answer=answer, phase=phase
    )
    return SearchNode(trajectory, 0)


def test_the_same_state_is_one_node() -> None:
    nodes = [said("a b"), said("a", "b"), said("a  b\n"), said("a b", answer="c"), said("a b")]
    kept = merge_duplicates(nodes)
    assert kept == [nodes[0], nodes[1], nodes[3]]
    assert [node.sample_count for node in kept] == [3, 1, 1]


async def test_children_differ_and_know_where_they_come_from(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        root = SearchNode(
            bench.context.start_trajectory(PROBLEM), next(bench.context.trajectory_numbers)
        )
        children = await sample_children(bench.context, root, 4)
        [only] = await sample_children(bench.context, children[0], 1)
    assert len({child.trajectory.tokens for child in children}) == 4
    assert [child.number for child in children] == [1, 2, 3, 4]
    assert only.number == children[0].number
    assert (only.depth, root.depth) == (2, 0)
    assert root.children == children
    assert all(child.parent is root for child in children)


async def test_greedy_samples_are_one_child(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, temperature=0.0) as bench:
        root = SearchNode(bench.context.start_trajectory(PROBLEM), 0)
        [child] = await sample_children(bench.context, root, 3)
    assert child.sample_count == 3


async def test_refuted_steps_are_drawn_again_or_left_out(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, plugins=(PICKY,)) as bench:
        root = SearchNode(
            bench.context.start_trajectory(PROBLEM), next(bench.context.trajectory_numbers)
        )
        plain = await sample_children(
            bench.context, SearchNode(root.trajectory, 99), 8, drop_refuted=False
        )
        kept = await sample_children(bench.context, root, 8)
    assert any(refutes(node.new_text) for node in plain)
    assert len(kept) == 1 or not any(refutes(node.new_text) for node in kept)
    assert [e for e in bench.events if e.kind == "verdict"]
    assert bench.context.budget.tool_calls > 0


async def test_refining_says_the_step_again_from_before_it(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, plugins=(PICKY,)) as bench:
        root = SearchNode(bench.context.start_trajectory(PROBLEM), 0)
        [first] = await sample_children(bench.context, root, drop_refuted=False)
        again = await resample_step(bench.context, first)
        bench.context.budget.stop_all()
        assert await resample_step(bench.context, again) is again
    assert again.parent is root
    assert again.trajectory.tokens != first.trajectory.tokens
    assert (again.refutation is not None) == refutes(again.new_text)
