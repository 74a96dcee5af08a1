"""Importing the registry, or using a cached model, loads nothing heavy."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from reasoner.models.fetch import ensure_model
from reasoner.models.space import format_bytes
from tests.models.hub_server import FakeHub

HEAVY = ("huggingface_hub", "llama_cpp", "numpy", "gguf", "httpx", "httpx2", "filelock")


def loaded_by(code: str) -> set[str]:
    report = f"{code}\nimport sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_import_and_the_registry_are_light() -> None:
    assert (
        loaded_by("import reasoner.models.fetch, reasoner.models.registry as c; c.load_registry()")
        == set()
    )


def test_a_cached_model_needs_no_hub_client(hub: FakeHub, add_model: Callable[..., None]) -> None:
    add_model()
    ensure_model("tiny")
    assert (
        loaded_by("from reasoner.models.fetch import ensure_model; ensure_model('tiny')") == set()
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (98_362_432, "98 MB"), (1_117_320_768, "1.1 GB")],
)
def test_sizes_as_people_read_them(size: int, text: str) -> None:
    assert format_bytes(size) == text
