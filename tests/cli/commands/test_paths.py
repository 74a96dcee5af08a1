"""`reasoner paths`."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run


def test_text_and_json_agree(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "paths", "--json").stdout)
    assert {"config", "config_file", "models_file", "plugins", "plugins_file"} < set(found)
    assert {"cache", "models", "data"} < set(found)
    assert found["models"] == str(tmp_path / "cache" / "models")
    text = run(tmp_path, "paths").stdout.decode()
    assert [line.split(None, 1) for line in text.splitlines()] == [
        [*item] for item in found.items()
    ]


@pytest.mark.slow
def test_asking_creates_nothing(tmp_path: Path) -> None:
    run(tmp_path, "paths")
    assert list(tmp_path.iterdir()) == []
