"""Training needs the extra `train`; without it none of this is collected."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from reasoner.datagen.puzzles.record import KINDS
from reasoner.datagen.puzzles.stream import PathDataRecipe, write_path_records

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file of paths of every kind."""
    path = tmp_path_factory.mktemp("data") / "paths.jsonl"
    write_path_records(
        path, PathDataRecipe(problems=40, paths=2, seed=1, mix=dict.fromkeys(KINDS, 1.0))
    )
    return path
