"""The Hub as a source, through the real client against a server that speaks its protocol."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reasoner.errors import BadModelFile, ChecksumError, DownloadError, ModelError
from reasoner.models import hub as hub_source
from reasoner.models.fetch import ensure_model
from reasoner.models.installed import find_model
from tests.models.conftest import FILE, REPO
from tests.models.hub_server import FakeHub
from tests.tiny_gguf import write_tiny_gguf


class Watcher:
    """Remembers what a download told it."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None, int]] = []
        self.got = self.ended = 0

    def begin(self, label: str, total: int | None, done: int) -> None:
        self.begun.append((label, total, done))

    def advance(self, size: int) -> None:
        self.got += size

    def end(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("name", [REPO, f"{REPO}:q4_k_m", f"{REPO}:{FILE}"])
def test_fetches_by_repository_quant_or_file(hub: FakeHub, tiny_gguf: Path, name: str) -> None:
    watcher = Watcher()
    model = ensure_model(name, on_progress=watcher)
    size = tiny_gguf.stat().st_size
    assert model.path.read_bytes() == tiny_gguf.read_bytes()
    assert model.path.name == FILE
    assert model.spec is None
    assert watcher.begun == [(FILE, size, 0)]
    assert (watcher.got, watcher.ended) == (size, 1)
    assert ensure_model(name, offline=True).path == model.path
    assert find_model(name) == model
    assert len(hub.gets) == 1


def test_a_published_size_that_nobody_tried_is_an_estimate(
    hub: FakeHub, own_directories: Path, tiny_gguf: Path
) -> None:
    """The publisher may have replaced the file since; its own checksum is the one that counts."""
    config = own_directories / "config"
    config.mkdir()
    entry = f"[tiny]\nrepo = '{REPO}'\nfile = '{FILE}'\nsize = 12345\n"
    (config / "models.toml").write_text(entry)
    with pytest.raises(ChecksumError, match="its size is"):
        ensure_model("tiny")
    (config / "models.toml").write_text(entry + "untried = true\n")
    assert ensure_model("tiny").path.read_bytes() == tiny_gguf.read_bytes()
    assert ensure_model("tiny", offline=True).path.is_file()


def test_follows_the_redirect_and_keeps_the_token_from_the_other_host(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.redirects = True
    assert ensure_model(REPO).path.is_file()
    assert hub.gets == [f"/cdn/{REPO}/{FILE}"]
    assert hub.tokens == [None]


def test_a_dropped_connection_is_taken_up_where_it_broke(hub: FakeHub, tiny_gguf: Path) -> None:
    size = tiny_gguf.stat().st_size
    hub.drop_after = size // 3
    assert ensure_model(REPO).path.read_bytes() == tiny_gguf.read_bytes()
    assert len(hub.gets) > 2
    assert hub.sent < size * 1.1


def test_a_server_without_ranges_starts_anew(hub: FakeHub, tiny_gguf: Path) -> None:
    hub.drop_after = tiny_gguf.stat().st_size // 2
    hub.ranges = False
    with pytest.raises(DownloadError):
        ensure_model(REPO)
    hub.drop_after = None
    watcher = Watcher()
    assert ensure_model(REPO, on_progress=watcher).path.read_bytes() == tiny_gguf.read_bytes()
    assert watcher.begun[0][2] + watcher.got == tiny_gguf.stat().st_size


def test_what_changed_on_the_hub_is_not_glued_together(
    hub: FakeHub, tmp_path: Path, tiny_gguf: Path
) -> None:
    hub.drop_after, hub.ranges = 1000, False
    with pytest.raises(DownloadError):
        ensure_model(REPO)
    other = write_tiny_gguf(tmp_path / "other.gguf", seed=9).read_bytes()
    hub.files[f"{REPO}/{FILE}"], hub.drop_after, hub.ranges = other, None, True
    assert ensure_model(REPO).path.read_bytes() == other


def test_the_hubs_own_checksum_is_verified(hub: FakeHub, own_directories: Path) -> None:
    hub.lies = True
    with pytest.raises(ChecksumError, match="Hub sent is not"):
        ensure_model(REPO)
    assert not list((own_directories / "cache").rglob("*.gguf"))
    assert not list((own_directories / "cache").rglob("*.hub*"))


def test_what_is_no_gguf_never_lands(hub: FakeHub, own_directories: Path) -> None:
    hub.files[f"{REPO}/{FILE}"] = b"<html>please log in</html>" * 10
    with pytest.raises(BadModelFile, match="not a GGUF"):
        ensure_model(REPO)
    assert find_model(REPO) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/such-repo", "no repository no/such-repo"),
        (f"{REPO}:q8_0", f"nothing called 'q8_0'.*{FILE}"),
        (f"{REPO}:other.gguf", "nothing called"),
    ],
)
def test_what_the_hub_lacks_is_said(hub: FakeHub, name: str, reason: str) -> None:
    with pytest.raises(DownloadError, match=reason):
        ensure_model(name)


def test_an_unreachable_hub_is_said_at_once() -> None:
    with pytest.raises(DownloadError, match="cannot be reached"):
        ensure_model(REPO)


def test_a_hub_that_never_answers_is_given_up(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{mute.getsockname()[1]}")
        monkeypatch.setattr(hub_source, "CONNECT_SECONDS", 0.2)
        with pytest.raises(DownloadError, match="cannot be reached"):
            ensure_model(REPO)


@pytest.mark.slow
def test_the_hubs_offline_switch_is_honoured(hub: FakeHub, own_directories: Path) -> None:
    """In a process of its own, since the library reads the switch when it is imported."""
    code = f"from reasoner.models.fetch import ensure_model; ensure_model({REPO!r})"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "offline mode is enabled" in done.stderr
    assert hub.sent == 0


def test_offline_asks_nobody(hub: FakeHub) -> None:
    with pytest.raises(DownloadError, match="offline mode is on"):
        ensure_model(REPO, offline=True)
    assert not hub.gets


def test_no_room_on_the_disk_is_said_before_the_download(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers of the disk are invented here; test_ensure fills a real one where it may."""
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 8, 1))
    with pytest.raises(ModelError, match="has 1 B free, the download needs"):
        ensure_model(REPO)
    assert not hub.gets
