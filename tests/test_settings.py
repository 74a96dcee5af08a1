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


@pytest.mark.parametrize("name", ["SEED", "EFFORT", "BUDGET", "TEMPERATURE", "STOP", "API_KEY"])
def test_an_empty_variable_is_an_unset_one(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    default = Settings.load()
    monkeypatch.setenv(f"REASONER_{name}", "")
    monkeypatch.setenv("REASONER_ENGINE__THREADS", "")
    assert Settings.load() == default


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_no_key(own_directories: Path, key: str) -> None:
    assert Settings.load(api_key=key).api_key is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("REASONER_EFORT", "REASONER_EFFORT"),
        ("reasoner_modell", "REASONER_MODEL"),
        ("REASONER_ENGINE_THREADS", "REASONER_ENGINE__THREADS"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "high")
    with pytest.raises(UsageError, match=f"{name} is no setting; did you mean {nearest}"):
        Settings.load()


def test_variables_of_other_programs_are_passed_over(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASONER_PORT", "tcp://10.0.0.1:8642")  # as Kubernetes sets them
    monkeypatch.setenv("REASONER_SERVICE_HOST", "10.0.0.1")
    Settings.load()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('model = "m"\n\nsed = 3\n', r"config\.toml, line 3: .*'sed'; did you mean seed"),
        ("[engine]\n\n\ncontext = true\n", r"config\.toml, line 4: engine\.context"),
        ('[engine]\nthreads=1\nflash-attention = "on"\n', r"line 3: .*did you mean engine\.flash_"),
        ("engine.threads = 0\n", r"config\.toml, line 1: engine\.threads"),
        ("seed = \n", r"config\.toml: .*line 1"),
    ],
)
def test_an_error_of_the_file_names_its_line(own_directories: Path, text: str, told: str) -> None:
    file = directories().config_file
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(UsageError, match=told):
        Settings.load()


def test_an_error_of_a_variable_names_it(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = directories().config_file
    file.parent.mkdir(parents=True)
    file.write_text("seed = 1\n")
    monkeypatch.setenv("REASONER_SEED", "many")
    with pytest.raises(UsageError, match="REASONER_SEED: seed"):
        Settings.load()
    monkeypatch.setenv("REASONER_SEED", "2")
    monkeypatch.setenv("REASONER_STOP", "no list")
    with pytest.raises(UsageError, match="REASONER_STOP: the value is not JSON"):
        Settings.load()


def test_a_variable_that_is_no_text_is_refused(
    own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASONER_SYSTEM", "caf\udce9")
    with pytest.raises(UsageError, match="REASONER_SYSTEM is not UTF-8"):
        Settings.load()
