"""Growing a structure: children, refuted steps, equal steps."""

from importlib.metadata import EntryPoint
from pathlib import Path

from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.prune import merge
from reasoner.operators.refine import refine
from reasoner.path import Path as Line
from reasoner.path import Phase, Step
from reasoner.problem import Problem
from tests.operators.picky import refutes
from tests.workbench import workbench

PICKY = EntryPoint("picky", "tests.operators.picky", "reasoner")
PROBLEM = Problem(question="How many?")


def said(*steps: str, answer: str = "") -> Node:
    phase = Phase.DONE if answer else Phase.REASONING
    path = Line(prompt=(1,), steps=tuple(Step(text=s) for s in steps), answer=answer, phase=phase)
    return Node(path, 0)


def test_the_same_state_is_one_node() -> None:
    nodes = [said("a b"), said("a", "b"), said("a  b\n"), said("a b", answer="c"), said("a b")]
    kept = merge(nodes)
    assert kept == [nodes[0], nodes[1], nodes[3]]
    assert [node.copies for node in kept] == [3, 1, 1]


async def test_children_differ_and_know_where_they_come_from(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        root = Node(bench.tools.start(PROBLEM), next(bench.tools.numbers))
        children = await generate(bench.tools, root, 4)
        [only] = await generate(bench.tools, children[0], 1)
    assert len({child.path.tokens for child in children}) == 4
    assert [child.number for child in children] == [1, 2, 3, 4]
    assert only.number == children[0].number
    assert (only.depth, root.depth) == (2, 0)
    assert root.children == children
    assert all(child.parent is root for child in children)


async def test_greedy_samples_are_one_child(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, temperature=0.0) as bench:
        root = Node(bench.tools.start(PROBLEM), 0)
        [child] = await generate(bench.tools, root, 3)
    assert child.copies == 3


async def test_refuted_steps_are_drawn_again_or_left_out(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, plugins=(PICKY,)) as bench:
        root = Node(bench.tools.start(PROBLEM), next(bench.tools.numbers))
        plain = await generate(bench.tools, Node(root.path, 99), 8, prune=False)
        kept = await generate(bench.tools, root, 8)
    assert any(refutes(node.said) for node in plain)
    assert len(kept) == 1 or not any(refutes(node.said) for node in kept)
    assert [e for e in bench.events if e.kind == "verdict"]
    assert bench.tools.budget.tool_calls > 0


async def test_refining_says_the_step_again_from_before_it(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf, plugins=(PICKY,)) as bench:
        root = Node(bench.tools.start(PROBLEM), 0)
        [first] = await generate(bench.tools, root, prune=False)
        again = await refine(bench.tools, first)
        bench.tools.budget.stop()
        assert await refine(bench.tools, again) is again
    assert again.parent is root
    assert again.path.tokens != first.path.tokens
    assert (again.refuted is not None) == refutes(again.said)
