"""`reasoner doctor`."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run


@pytest.mark.slow
def test_it_looks_at_everything(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.decode().splitlines()
    names = {line.split()[1] for line in lines if line[:4].strip() in ("ok", "warn", "fail")}
    assert {"build", "engine", "gpu", "threads", "memory", "cache", "data", "models"} <= names
    assert any("plugin sympy_check" in line for line in lines)
    assert any("plugin python_sandbox" in line for line in lines)


@pytest.mark.slow
def test_json_says_the_same(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "doctor", "--json").stdout)
    assert found["ok"] is True
    assert all(set(check) == {"name", "level", "detail", "hint"} for check in found["checks"])
    missing = next(check for check in found["checks"] if check["name"] == "models")
    assert missing["level"] == "warn"
    assert "reasoner models pull" in missing["hint"]


@pytest.mark.slow
def test_an_unusable_cache_directory_is_essential(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run(tmp_path, "doctor", REASONER_CACHE_DIR=str(blocked / "cache"))
    assert done.returncode == 1
    assert b"fail" in done.stdout
    assert b"REASONER_CACHE_DIR" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", REASONER_EFFORT="extreme")
    assert b"effort" in done.stdout
    assert b"Traceback" not in done.stderr
