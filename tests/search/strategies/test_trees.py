"""The strategies that grow trees, on real models."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from reasoner.search.strategies.registry import STRATEGIES, find_strategy
from reasoner.types.problem import Problem
from reasoner.types.trajectory import FinishReason
from reasoner.value.aggregate import Aggregation
from tests.workbench import workbench

ASK = Problem(question="Tom has 3 boxes with 4 pens each. How many pens does he have?")
PICKY = EntryPoint("picky", "tests.search.operators.picky", "reasoner")
SMALL: dict[str, dict[str, Any]] = {
    "linear": {},
    "cross-check": {},
    "majority": {"n": 3},
    "best-of-n": {"n": 3},
    "weighted-best-of-n": {"n": 3},
    "beam": {"n": 4, "width": 2},
    "dvts": {"n": 4, "width": 2},
    "lookahead": {"n": 4, "width": 2, "k": 2},
    "mcts": {"simulations": 5, "parallel": 3},
    "tot-bfs": {"width": 3, "breadth": 2, "depth": 3},
    "tot-dfs": {"width": 2, "depth": 3, "states": 8},
    "revise": {"n": 3},
    "nested": {"n": 2},
}


def test_every_strategy_is_tried() -> None:
    assert set(SMALL) == set(STRATEGIES)


class Lengths:
    """A value model that likes short steps; real enough to be charged for."""

    name = "lengths"
    aggregation: Aggregation = "last"

    def __init__(self) -> None:
        self.decoded_tokens = 0

    async def score_steps(self, problem: Problem, path: Any) -> tuple[float, ...]:
        self.decoded_tokens += 5
        texts = [*(step.text for step in path.steps), *([path.answer] if path.answer else [])]
        return tuple(1 / (1 + len(text)) for text in texts)


@pytest.mark.parametrize("name", SMALL)
async def test_noise_is_searched_to_an_answer(tiny_gguf: Path, name: str) -> None:
    strategy = find_strategy(name)
    async with workbench(tiny_gguf, plugins=(PICKY,), min_steps=2, max_steps=3) as bench:
        found = await strategy.search(ASK, bench.context, strategy.parse_options(SMALL[name]))
        assert bench.context.budget.generated_tokens >= len(found.candidates[0].trajectory.tokens)
    best = found.candidates[0]
    assert best.trajectory.is_done
    assert best.trajectory.answer
    assert len({candidate.number for candidate in found.candidates}) == len(found.candidates)


@pytest.mark.parametrize("name", ["beam", "dvts", "lookahead", "mcts", "tot-bfs", "tot-dfs"])
async def test_a_value_model_is_asked_and_charged(tiny_gguf: Path, name: str) -> None:
    strategy, scorer = find_strategy(name), Lengths()
    async with workbench(tiny_gguf, value=scorer, min_steps=2, max_steps=3) as bench:
        found = await strategy.search(ASK, bench.context, strategy.parse_options(SMALL[name]))
        assert bench.context.budget.value_tokens == scorer.decoded_tokens > 0
    assert found.candidates[0].value_score is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
async def test_a_spent_search_still_answers(tiny_gguf: Path, name: str) -> None:
    """When four fifths of the tokens are spent, everything lands and no new line is begun.

    A tiny model writes faster than its tokens are counted, hence the slack.
    """
    strategy = find_strategy(name)
    many = {key: 64 for key in ("n", "simulations") if key in SMALL[name]}
    options: dict[str, Any] = {"budget": 150, "max_tokens": 300, "tokens": 900, "min_steps": 1}
    async with workbench(tiny_gguf, **options) as bench:
        found = await strategy.search(
            ASK, bench.context, strategy.parse_options(SMALL[name] | many)
        )
        assert bench.context.budget.spent_tokens <= 3 * 900
        assert len([e for e in bench.events if e.kind == "candidate"]) < 64
    assert found.candidates[0].trajectory.is_done
    assert found.candidates[0].trajectory.answer


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SMALL if name != "linear"])
async def test_stopping_a_search_gives_the_best_so_far(tiny_gguf: Path, name: str) -> None:
    strategy = find_strategy(name)
    options = SMALL[name] | {
        key: 64 for key in ("n", "simulations", "answers") if key in SMALL[name]
    }
    async with workbench(tiny_gguf, max_steps=2, min_steps=1) as bench:
        emit = bench.events.append
        finished = 0

        def watch(event: Any) -> None:
            nonlocal finished
            emit(event)
            if event.kind != "candidate" or event.finish_reason == "interrupted":
                return
            if name != "cross-check" or event.path == 0:  # a program that printed nothing is none
                finished += 1
                bench.context.budget.stop_all()

        object.__setattr__(bench.context, "emit", watch)
        found = await strategy.search(ASK, bench.context, strategy.parse_options(options))
    assert finished >= 1
    assert found.candidates[0].trajectory.finish_reason is not FinishReason.INTERRUPTED


async def test_the_steps_of_a_search_are_told(tiny_gguf: Path) -> None:
    strategy = find_strategy("beam")
    async with workbench(tiny_gguf, min_steps=2, max_steps=3) as bench:
        await strategy.search(ASK, bench.context, strategy.parse_options(SMALL["beam"]))
        nodes = [event for event in bench.events if event.kind == "node"]
    assert {node.parent for node in nodes} > {0}
    assert [node for node in nodes if node.pruned]
    assert all(node.value is None or 0 <= node.value <= 1 for node in nodes)


@pytest.mark.parametrize("name", SMALL)
async def test_the_account_adds_up(tiny_gguf: Path, name: str) -> None:
    """What is in the answer's path, and what is not, is all that was written or put there."""
    strategy = find_strategy(name)
    proposed = {"thoughts": "propose"} if name.startswith("tot") else {}
    async with workbench(tiny_gguf, min_steps=2, max_steps=3) as bench:
        found = await strategy.search(
            ASK, bench.context, strategy.parse_options(SMALL[name] | proposed)
        )
        best = found.candidates[0].trajectory
        usage = bench.context.budget.usage(
            prompt_tokens=len(best.prompt),
            reasoning_tokens=best.reasoning_tokens,
            answer_tokens=best.answer_tokens,
        )
    kept = usage.reasoning_tokens + usage.answer_tokens
    assert kept == len(best.tokens)
    assert usage.wasted_tokens >= 0
    assert usage.completion_tokens + usage.tool_tokens == kept + usage.wasted_tokens
    assert (usage.tool_tokens > 0) == bool(proposed)
