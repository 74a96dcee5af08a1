"""What every room's tests may ask for: two models, one that talks and one that is only a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reasoner.engine.local.threads import usable_cores
from tests.tiny_gguf import write_tiny_gguf

SLOW_FIXTURES = {"smollm2"}
"""Fixtures that need a language model of 98 MB, which is fetched on first use."""
SLOW_FOLDERS = {"hostile"}


def pytest_configure() -> None:
    """Divide the cores among the xdist workers, before any of them loads llama.cpp.

    Each worker's models would use every core otherwise, and wait for each other at every layer.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        os.environ.setdefault("OMP_THREAD_LIMIT", str(max(1, usable_cores() // workers)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs a real language model and what attacks the sandbox."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if SLOW_FIXTURES.intersection(fixtures) or SLOW_FOLDERS.intersection(item.path.parts):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def nothing_kept() -> Iterator[None]:
    """What tests work out in this process is not put into the user's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REASONER_CACHE", "false")
        yield


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M, fetched on first use by the package itself, which lets one process fetch it.

    `REASONER_TEST_CACHE` names a cache directory that keeps it. Tests that use this are slow.
    """
    from reasoner.models.fetch import ensure_model

    with pytest.MonkeyPatch.context() as patch:
        if cache := os.environ.get("REASONER_TEST_CACHE"):
            patch.setenv("REASONER_CACHE_DIR", cache)
        return Path(ensure_model("smollm2-135m").path)


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random-weight model: it loads at once and writes noise."""
    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty config, cache and data directories below the one returned, for use."""
    monkeypatch.delenv("REASONER_CACHE", raising=False)
    for name in ("config", "cache", "data"):
        monkeypatch.setenv(f"REASONER_{name.upper()}_DIR", str(tmp_path / name))
    return tmp_path
