"""Tree of Thoughts in the small steps that a plugin frames, on a real model."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from number_puzzle.environment import apply_step, initial_numbers
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.small_steps import expand_in_environment
from reasoner.search.rollout import create_root
from reasoner.search.strategies.registry import find_strategy
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome
from tests.workbench import Workbench, workbench

PLUGIN = EntryPoint("number_puzzle", "number_puzzle", "reasoner")
EASY = Problem(question="Use 2 3 4 to make 24")
HOPELESS = Problem(question="Use 1 1 1 to make 24")


async def grow(
    bench: Workbench, problem: Problem, node: SearchNode, width: int = 16
) -> list[SearchNode]:
    frame = await bench.context.environment_state(
        problem, [step.text for step in node.trajectory.steps]
    )
    assert frame is not None
    return await expand_in_environment(problem, bench.context, node, frame, width)


async def test_small_steps_keep_to_the_rules_and_come_to_new_states(smollm2: Path) -> None:
    async with workbench(smollm2, plugins=(PLUGIN,)) as bench:
        root = create_root(EASY, bench.context)
        children = await grow(bench, EASY, root)
        below = [
            await grow(bench, EASY, child) for child in children if not child.trajectory.is_done
        ]
    states = [node.environment_state for node in root.subtree()]
    assert len(children) >= 2
    assert len(states) == len(set(states)) == 1 + len(children) + sum(map(len, below))
    for child in children:
        [step] = child.trajectory.steps
        apply_step(initial_numbers((2, 3, 4)), step.text)  # or it breaks a rule
        assert 0 < step.forced < step.tokens == len(child.trajectory.tokens)
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
        found = await strategy.search(EASY, bench.context, strategy.parse_options(options))
        best = found.candidates[0]
        usage = bench.context.budget.usage(
            prompt_tokens=len(best.trajectory.prompt),
            reasoning_tokens=best.trajectory.reasoning_tokens,
            answer_tokens=best.trajectory.answer_tokens,
        )
    assert [verdict.outcome for verdict in best.verdicts or ()] == [Outcome.PASS]
    left = initial_numbers((2, 3, 4))
    for step in best.trajectory.steps:
        left = apply_step(left, step.text)
    assert f"{left[0].formula[1:-1]} = 24" == best.trajectory.answer
    kept = usage.reasoning_tokens + usage.answer_tokens
    assert kept == len(best.trajectory.tokens)
    assert usage.completion_tokens + usage.tool_tokens == kept + usage.wasted_tokens
    assert usage.wasted_tokens >= 0


@pytest.mark.parametrize("name", ["tot-dfs", "tot-bfs"])
async def test_where_no_step_leads_on_the_question_is_answered_as_it_stands(
    smollm2: Path, name: str
) -> None:
    strategy = find_strategy(name)
    async with workbench(smollm2, plugins=(PLUGIN,), budget=40) as bench:
        found = await strategy.search(HOPELESS, bench.context, strategy.parse_options({}))
        asked = bench.context.policy.start_trajectory(HOPELESS).prompt
    [candidate] = found.candidates
    assert candidate.trajectory.answer
    assert candidate.trajectory.prompt == asked
    assert any(event.kind == "node" and event.depth == 1 for event in bench.events)


async def test_framing_can_be_left_out(smollm2: Path) -> None:
    strategy = find_strategy("tot-bfs")
    options = {"framed": False, "width": 2, "breadth": 1, "depth": 1}
    async with workbench(smollm2, plugins=(PLUGIN,), max_tokens=30) as bench:
        await strategy.search(EASY, bench.context, strategy.parse_options(options))
    reasons = [event.verdict.reason for event in bench.events if event.kind == "verdict"]
    assert not any("not a step" in reason for reason in reasons)


async def test_a_spent_budget_ends_small_steps_with_an_answer(smollm2: Path) -> None:
    strategy = find_strategy("tot-dfs")
    async with workbench(smollm2, plugins=(PLUGIN,), tokens=60, budget=20) as bench:
        found = await strategy.search(
            HOPELESS, bench.context, strategy.parse_options({"states": 500})
        )
        assert bench.context.budget.spent_tokens < 200
    assert found.candidates[0].trajectory.is_done
