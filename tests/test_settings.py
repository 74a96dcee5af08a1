"""Flags over environment over file, and one line for whatever is wrong with them."""

from pathlib import Path

import pytest

from reasoner.errors import UsageError
from reasoner.settings import Settings, directories


def test_flags_over_environment_over_file(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = directories().config_file
    file.parent.mkdir(parents=True)
    file.write_text('model = "from-file"\nseed = 1\nmin_steps = 2\n[engine]\ncontext = 512\n')
    monkeypatch.setenv("REASONER_SEED", "5")
    monkeypatch.setenv("REASONER_ENGINE__THREADS", "3")
    settings = Settings.load(model="from-flag", budget=None)
    assert (settings.model, settings.seed, settings.min_steps) == ("from-flag", 5, 2)
    assert (settings.engine.context, settings.engine.threads) == (512, 3)


def test_effort_gives_the_budget_unless_one_is_set(own_directories: Path) -> None:
    assert Settings.load(effort="low").limits.budget == 512
    assert Settings.load(effort="low", budget=77).limits.budget == 77


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"min_steps": 5, "max_steps": 3}, "min_steps 5 is above max_steps 3"),
        ({"effort": "huge"}, "effort"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_bad_setting_is_named(
    own_directories: Path, flags: dict[str, object], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Settings.load(**flags)


def test_a_malformed_file_is_one_line(own_directories: Path) -> None:
    file = directories().config_file
    file.parent.mkdir(parents=True)
    file.write_text("model = [")
    with pytest.raises(UsageError, match=r"config\.toml"):
        Settings.load()
