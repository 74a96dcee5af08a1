"""A budget that the context cannot hold is said before the thinking begins."""

from pathlib import Path
from typing import Any

import pytest

from reasoner.api import open_solver
from reasoner.context_needs import DEFAULT_CONTEXT_TOKENS, ContextNeeds, context_needs
from reasoner.models.registry import load_registry
from reasoner.models.spec import ModelSpec
from reasoner.settings import DEFAULT_MODEL, Settings
from reasoner.solver.context_notice import context_notice
from reasoner.types.events import Event, NoticeEvent
from reasoner.types.problem import Problem
from tests.scripted_gguf import write_scripted_gguf

BUDGET_OF_MAX = 16384


@pytest.mark.parametrize(
    ("options", "n_ctx", "expected"),
    [
        ({"budget": 3000}, 4096, None),
        ({"budget": 3600}, 4096, "budget of 3600 needs 4260.*after about 3436; use a model"),
        ({"budget": 3600, "max_tokens": 500}, 4096, None),
        ({"budget": 3600, "think": False}, 4096, None),
        ({"effort": "max"}, 8192, "holds 8192 tokens, the budget of 16384 needs 17044"),
        ({}, 1024, None),
        ({"engine": {"context": 1024}}, 1024, "raise --context"),
    ],
)
def test_the_line(options: dict[str, Any], n_ctx: int, expected: str | None) -> None:
    import re

    text = context_notice(Settings.load(**options), lambda: 100, n_ctx)
    assert (text is None) == (expected is None)
    assert expected is None or re.search(expected, text or "")


@pytest.mark.parametrize("effort", ["low", "medium", "high"])
@pytest.mark.parametrize("name", [DEFAULT_MODEL, None])
def test_the_usual_context_suffices_for_the_usual_efforts(name: str | None, effort: str) -> None:
    spec = load_registry()[name] if name else None
    needs = context_needs(Settings.load(effort=effort), spec)
    assert needs.min_tokens <= DEFAULT_CONTEXT_TOKENS
    if name or effort != "high":  # high votes among five trajectories
        assert needs.tokens == DEFAULT_CONTEXT_TOKENS


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"effort": "max"}, BUDGET_OF_MAX),
        ({"budget": 30_000}, 30_000),
        ({"effort": "max", "strategy": "linear"}, BUDGET_OF_MAX),
    ],
)
def test_a_context_holds_the_budget(options: dict[str, Any], least: int) -> None:
    needs = context_needs(Settings.load(**options), None)
    assert least + 1000 < needs.min_tokens < least + 4000
    assert needs.tokens >= needs.min_tokens


def test_several_trajectories_get_more_cells_but_no_more_than_the_search_may_spend() -> None:
    one = context_needs(Settings.load(effort="max", strategy="linear"), None)
    eight = context_needs(Settings.load(effort="max"), None)
    assert eight.min_tokens == one.min_tokens == one.tokens
    assert eight.tokens > 4 * one.tokens
    named = context_needs(Settings.load(effort="max", strategy="beam"), None)
    assert one.tokens < named.tokens < eight.tokens
    capped = context_needs(Settings.load(effort="max", search_budget=20_000), None)
    assert capped.tokens < one.tokens + 4000
    plain = ModelSpec(alias="m", path=Path("m.gguf"), protocol="plain")
    assert context_needs(Settings.load(effort="max"), plain) == one


def test_no_trajectory_is_longer_than_what_the_model_was_trained_on() -> None:
    needs = ContextNeeds(20_000, 80_000).for_trained_length(4096)
    assert needs == ContextNeeds(4096, 16_384)
    assert ContextNeeds(5000, 8192).for_trained_length(1000) == ContextNeeds(1000, 8192)


@pytest.mark.parametrize(("trained", "cells"), [(65536, 6000 + 2608), (2048, 2048)])
async def test_the_context_follows_the_budget_or_says_that_it_cannot(
    tmp_path: Path, trained: int, cells: int
) -> None:
    model = write_scripted_gguf(tmp_path / "m.gguf", ["Ulm.", "<|im_end|>"], n_ctx_train=trained)
    events: list[Event] = []
    settings = Settings.load(model=str(model), budget=6000, verify=False, cache=False)
    async with open_solver(settings, events.append) as solver:
        await solver.solve(Problem(question="Where?"))
        assert solver.n_ctx == cells or 0 <= solver.n_ctx - cells < 256
    notices = [event.text for event in events if isinstance(event, NoticeEvent)]
    if trained == 2048:
        assert len(notices) == 1
        assert "the context holds 2048 tokens, the budget of 6000 needs" in notices[0]
    else:
        assert notices == []
