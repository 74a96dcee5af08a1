"""What an effort stands for."""

from pathlib import Path

import pytest

from reasoner.effort import resolve_effort
from reasoner.errors import UsageError
from reasoner.models.registry import load_registry
from reasoner.search.strategies.registry import find_strategy
from reasoner.settings import Settings

EFFORTS = ("low", "medium", "high", "max")


def test_every_plan_in_the_registry_names_a_strategy_and_its_options(
    own_directories: Path,
) -> None:
    for spec in (None, *load_registry().values()):
        for effort in EFFORTS:
            plan = resolve_effort(Settings.load(effort=effort), spec)
            assert find_strategy(plan.strategy).parse_options(plan.strategy_options)


def test_what_was_set_stays(own_directories: Path) -> None:
    spec = load_registry()["qwen2.5-coder-1.5b"]
    named = Settings.load(effort="max", strategy="linear")
    assert resolve_effort(named, spec) == named
    assert resolve_effort(Settings.load(effort="max", budget=7), spec).budget == 7
    assert resolve_effort(Settings.load(effort="low"), spec).strategy == "linear"
    assert resolve_effort(Settings.load(effort="medium"), spec).strategy == "cross-check"
    assert resolve_effort(Settings.load(effort="medium", think=False), spec).strategy == "linear"
    assert resolve_effort(Settings.load(effort="medium", verify=False), spec).strategy == "linear"


def test_options_need_the_strategy_they_are_for(own_directories: Path) -> None:
    with pytest.raises(UsageError, match="--strategy"):
        resolve_effort(Settings.load(strategy_options={"n": 3}))


def test_users_may_plan_their_models(own_directories: Path) -> None:
    (own_directories / "config").mkdir(parents=True, exist_ok=True)
    (own_directories / "config" / "models.toml").write_text(
        "[mine]\npath = '/x.gguf'\n"
        "effort.high = { strategy = 'beam', options = { n = 4 }, budget = 99 }\n"
    )
    plan = resolve_effort(Settings.load(effort="high"), load_registry()["mine"])
    assert (plan.strategy, plan.strategy_options, plan.budget) == ("beam", {"n": 4}, 99)
