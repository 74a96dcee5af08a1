"""What every room's tests may ask for: two models, one that talks and one that is only a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny_gguf import write_tiny_gguf


@pytest.fixture(scope="session", autouse=True)
def nothing_kept() -> Iterator[None]:
    """What tests work out in this process is not put into the user's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REASONER_CACHE", "false")
        yield


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M, fetched on first use by the package itself; `REASONER_TEST_CACHE` keeps it."""
    from reasoner.models.ensure import ensure_model

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
