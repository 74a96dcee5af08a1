"""What an effort stands for."""

from pathlib import Path

import pytest

from reasoner.effort import planned
from reasoner.errors import UsageError
from reasoner.models.catalog import registry
from reasoner.settings import Settings
from reasoner.strategies.registry import find_strategy

EFFORTS = ("low", "medium", "high", "max")


def test_every_plan_in_the_registry_names_a_strategy_and_its_options(
    own_directories: Path,
) -> None:
    for spec in (None, *registry().values()):
        for effort in EFFORTS:
            plan = planned(Settings.load(effort=effort), spec)
            assert find_strategy(plan.strategy).parse(plan.strategy_options)


def test_what_was_set_stays(own_directories: Path) -> None:
    spec = registry()["qwen2.5-coder-1.5b"]
    named = Settings.load(effort="max", strategy="linear")
    assert planned(named, spec) == named
    assert planned(Settings.load(effort="max", budget=7), spec).budget == 7
    assert planned(Settings.load(effort="low"), spec).strategy == "linear"
    assert planned(Settings.load(effort="medium"), spec).strategy == "cross-check"
    assert planned(Settings.load(effort="medium", think=False), spec).strategy == "linear"
    assert planned(Settings.load(effort="medium", verify=False), spec).strategy == "linear"


def test_options_need_the_strategy_they_are_for(own_directories: Path) -> None:
    with pytest.raises(UsageError, match="--strategy"):
        planned(Settings.load(strategy_options={"n": 3}))


def test_users_may_plan_their_models(own_directories: Path) -> None:
    (own_directories / "config").mkdir(parents=True, exist_ok=True)
    (own_directories / "config" / "models.toml").write_text(
        "[mine]\npath = '/x.gguf'\n"
        "effort.high = { strategy = 'beam', options = { n = 4 }, budget = 99 }\n"
    )
    plan = planned(Settings.load(effort="high"), registry()["mine"])
    assert (plan.strategy, plan.strategy_options, plan.budget) == ("beam", {"n": 4}, 99)
