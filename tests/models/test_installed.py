"""What is on this machine is found, listed and removed without asking anybody."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reasoner.errors import ModelError
from reasoner.models.cache import partial_path
from reasoner.models.fetch import ensure_model
from reasoner.models.installed import find_models, remove_model
from reasoner.models.registry import load_registry
from tests.models.conftest import FILE, REPO
from tests.models.hub_server import FakeHub
from tests.tiny_gguf import write_tiny_gguf

Add = Callable[..., None]


def test_remove_takes_the_file_and_the_leftovers(
    hub: FakeHub, add_model: Add, own_directories: Path
) -> None:
    add_model()
    path = ensure_model("tiny").path
    leftover = partial_path(load_registry()["tiny"], "hub")
    leftover.write_bytes(b"x")
    assert remove_model("tiny") == [path, leftover]
    assert not path.parent.exists()
    for name in ("tiny", REPO):
        with pytest.raises(ModelError, match="not on this machine"):
            remove_model(name)


def test_other_peoples_models_are_listed_by_their_hub_name(hub: FakeHub, tmp_path: Path) -> None:
    other = write_tiny_gguf(tmp_path / "other.gguf", seed=3).read_bytes()
    hub.files["a/b-c/sub/m-Q8_0.gguf"] = hub.files.pop(f"{REPO}/{FILE}")
    hub.files["a/b-c/m-Q4_K_M.gguf"] = other
    ensure_model("a/b-c:q8_0")
    shipped = ["steiner-mini", "steiner-mini-value"]
    assert [model.name for model in find_models()] == [*shipped, "a/b-c:sub/m-Q8_0.gguf"]
    assert remove_model("a/b-c:sub/m-Q8_0.gguf")
    assert [model.name for model in find_models()] == shipped
