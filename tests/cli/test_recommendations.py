"""Who runs the default model is told once of a far stronger one that fits the machine."""

from pathlib import Path

import pytest

from reasoner.cli.recommendations import HINT_MARKER_NAME, describe_machine, hint_at_stronger_model
from reasoner.models.machine import Machine
from reasoner.settings import DEFAULT_MODEL, Settings
from tests.cli.command import run

HINT = "a far stronger model fits this machine: "
ASK = ("ask", "--budget", "8", "--max-tokens", "24", "--no-verify")


def write_registry(home: Path, default: Path, size: int = 80_000_000) -> None:
    """The default model is a tiny file, and a small model that thinks would fit any machine."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "models.toml").write_text(
        f"['{DEFAULT_MODEL}']\npath = '{default}'\n"
        f"[thinker]\nrepo = 'a/b'\nfile = 'c.gguf'\nprotocol = 'think'\nsize = {size}\n"
    )


@pytest.fixture
def shown(own_directories: Path, tiny_gguf: Path) -> list[str]:
    write_registry(own_directories, tiny_gguf)
    return []


def test_the_hint_is_shown_once(shown: list[str], own_directories: Path) -> None:
    hint_at_stronger_model(Settings.load(), shown.append)
    hint_at_stronger_model(Settings.load(), shown.append)
    (line,) = shown
    assert line.startswith(HINT)
    assert "`reasoner models recommend`" in line
    assert (own_directories / "data" / HINT_MARKER_NAME).is_file()


@pytest.mark.parametrize(
    "flags",
    [{"model": "thinker"}, {"server": "http://127.0.0.1:9"}, {"offline": True}],
    ids=["another model", "a server", "offline"],
)
def test_nothing_is_shown_where_it_would_not_help(
    shown: list[str], own_directories: Path, flags: dict[str, str | bool]
) -> None:
    hint_at_stronger_model(Settings.load(**flags), shown.append)
    assert shown == []
    assert not (own_directories / "data" / HINT_MARKER_NAME).exists()


def test_nothing_is_shown_where_it_would_be_shown_each_time(
    shown: list[str], own_directories: Path
) -> None:
    (own_directories / "data").write_text("a file where the directory should be")
    hint_at_stronger_model(Settings.load(), shown.append)
    assert shown == []


def test_the_estimates_rest_on_what_is_known() -> None:
    known = Machine(16 * 10**9, 70 * 10**9, 20e9, vram_bytes=8 * 10**9, gpu_bandwidth=300e9)
    assert describe_machine(known) == (
        "Estimated for this machine: 16.0 GB of memory, 8.0 GB on GPUs, 70.0 GB of disk space, "
        "20.0 GB/s read from memory, 300.0 GB/s assumed for GPUs."
    )
    assert describe_machine(Machine(None, None, 5e9)) == (
        "Estimated for this machine: 5.0 GB/s read from memory."
    )


@pytest.mark.slow
def test_ask_tells_it_on_stderr_and_never_with_quiet(tmp_path: Path, tiny_gguf: Path) -> None:
    write_registry(tmp_path, tiny_gguf)
    quiet = run(tmp_path, *ASK, "-q", "Say hi.")
    assert quiet.stderr == b""
    first = run(tmp_path, *ASK, "Say hi again.")
    assert first.returncode == 0
    assert first.stderr.decode().count(HINT) == 1
    assert HINT not in first.stdout.decode()
    assert HINT not in run(tmp_path, *ASK, "And again.").stderr.decode()


@pytest.mark.slow
def test_chat_tells_it_as_well(tmp_path: Path, tiny_gguf: Path) -> None:
    write_registry(tmp_path, tiny_gguf)
    chat = ("chat", *ASK[1:])
    assert HINT in run(tmp_path, *chat, stdin=b"Say hi.\n").stderr.decode()
    assert HINT not in run(tmp_path, *chat, stdin=b"Say hi.\n").stderr.decode()
