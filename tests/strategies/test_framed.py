"""Tree of Thoughts in the small steps that a plugin frames, on a real model."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from reasoner.operators.node import Node
from reasoner.operators.small_steps import small_steps
from reasoner.plugins.number_puzzle.environment import after, given
from reasoner.problem import Problem
from reasoner.strategies.line import plant
from reasoner.strategies.registry import find_strategy
from reasoner.verdict import Outcome
from tests.workbench import Workbench, workbench

PLUGIN = EntryPoint("number_puzzle", "reasoner.plugins.number_puzzle", "reasoner")
EASY = Problem(question="Use 2 3 4 to make 24")
HOPELESS = Problem(question="Use 1 1 1 to make 24")


async def grow(bench: Workbench, problem: Problem, node: Node, width: int = 16) -> list[Node]:
    frame = await bench.tools.frame(problem, [step.text for step in node.path.steps])
    assert frame is not None
    return await small_steps(problem, bench.tools, node, frame, width)


async def test_small_steps_keep_to_the_rules_and_come_to_new_states(smollm2: Path) -> None:
    async with workbench(smollm2, plugins=(PLUGIN,)) as bench:
        root = plant(EASY, bench.tools)
        children = await grow(bench, EASY, root)
        below = [await grow(bench, EASY, child) for child in children if not child.path.done]
    states = [node.state for node in root.subtree()]
    assert len(children) >= 2
    assert len(states) == len(set(states)) == 1 + len(children) + sum(map(len, below))
    for child in children:
        [step] = child.path.steps
        after(given((2, 3, 4)), step.text)  # or it breaks a rule
        assert 0 < step.forced < step.tokens == len(child.path.tokens)
        assert child.score == pytest.approx(2.718281828**step.logprob)
    told = [event for event in bench.events if event.kind == "verdict"]
    assert told
    assert {event.verdict.outcome for event in told} == {Outcome.FAIL}


@pytest.mark.parametrize(
    ("name", "options"), [("tot-dfs", {"states": 60}), ("tot-bfs", {"breadth": 6})]
)
async def test_a_puzzle_is_solved_by_the_models_own_steps(
    smollm2: Path, name: str, options: dict[str, Any]
) -> None:
    strategy = find_strategy(name)
    async with workbench(smollm2, plugins=(PLUGIN,)) as bench:
        found = await strategy.run(EASY, bench.tools, strategy.parse(options))
        best = found.attempts[0]
        usage = bench.tools.budget.usage(
            prompt=len(best.path.prompt),
            reasoning=best.path.reasoning_tokens,
            answer=best.path.answer_tokens,
        )
    assert [verdict.outcome for verdict in best.verdicts or ()] == [Outcome.PASS]
    left = given((2, 3, 4))
    for step in best.path.steps:
        left = after(left, step.text)
    assert f"{left[0].formula[1:-1]} = 24" == best.path.answer
    kept = usage.reasoning_tokens + usage.answer_tokens
    assert kept == len(best.path.tokens)
    assert usage.completion_tokens + usage.tool_tokens == kept + usage.wasted_tokens
    assert usage.wasted_tokens >= 0


@pytest.mark.parametrize("name", ["tot-dfs", "tot-bfs"])
async def test_where_no_step_leads_on_the_question_is_answered_as_it_stands(
    smollm2: Path, name: str
) -> None:
    strategy = find_strategy(name)
    async with workbench(smollm2, plugins=(PLUGIN,), budget=40) as bench:
        found = await strategy.run(HOPELESS, bench.tools, strategy.parse({}))
        asked = bench.tools.policy.start(HOPELESS).prompt
    [attempt] = found.attempts
    assert attempt.path.answer
    assert attempt.path.prompt == asked
    assert any(event.kind == "node" and event.depth == 1 for event in bench.events)


async def test_framing_can_be_left_out(smollm2: Path) -> None:
    strategy = find_strategy("tot-bfs")
    options = {"framed": False, "width": 2, "breadth": 1, "depth": 1}
    async with workbench(smollm2, plugins=(PLUGIN,), max_tokens=30) as bench:
        await strategy.run(EASY, bench.tools, strategy.parse(options))
    reasons = [event.verdict.reason for event in bench.events if event.kind == "verdict"]
    assert not any("not a step" in reason for reason in reasons)


async def test_a_spent_budget_ends_small_steps_with_an_answer(smollm2: Path) -> None:
    strategy = find_strategy("tot-dfs")
    async with workbench(smollm2, plugins=(PLUGIN,), tokens=60, budget=20) as bench:
        found = await strategy.run(HOPELESS, bench.tools, strategy.parse({"states": 500}))
        assert bench.tools.budget.spent_tokens < 200
    assert found.attempts[0].path.done
