"""`reasoner models` as a shell sees it: what is on stdout, what on stderr, which exit code."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.terminal import Terminal
from tests.models.hub_server import FakeHub

REPO, FILE = "some/tiny-GGUF", "tiny-q4_k_m.gguf"


@pytest.fixture(autouse=True)
def _unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No source answers unless a test starts one."""
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tiny_gguf: Path) -> Iterator[FakeHub]:
    """A Hub with the tiny model, where the command will look for it."""
    with FakeHub(files={f"{REPO}/{FILE}": tiny_gguf.read_bytes()}).running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.mark.slow
def test_list_names_the_registry_and_what_is_here(tmp_path: Path) -> None:
    done = run(tmp_path, "models", "list")
    assert done.returncode == 0
    assert b"qwen2.5-coder-1.5b" in done.stdout
    assert b"\x1b" not in done.stdout
    rows = json.loads(run(tmp_path, "models", "list", "--json").stdout)
    assert rows[0]["name"] == "qwen2.5-coder-1.5b"
    assert [row["name"] for row in rows if row["cached"]] == ["steiner-mini", "steiner-mini-value"]
    assert {row["name"]: row["untried"] for row in rows}["gpt-oss-20b"] is True
    (line,) = [line for line in done.stdout.splitlines() if line.split()[:1] == [b"gpt-oss-20b"]]
    assert b"not tried" in line
    assert b"not tried" not in done.stdout.splitlines()[3]


@pytest.mark.slow
def test_recommend_lists_what_fits_and_says_that_it_estimates(tmp_path: Path) -> None:
    done = run(tmp_path, "models", "recommend")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert b"GOOD FOR" in done.stdout
    assert done.stderr.startswith(b"Estimated for this machine: ")
    assert done.stderr.count(b"\n") == 1
    report = json.loads(run(tmp_path, "models", "recommend", "--json").stdout)
    by_name = {row["name"]: row for row in report["models"]}
    memory = report["machine"]["ram_bytes"] + report["machine"]["vram_bytes"]
    assert all(row["memory"] < memory for row in report["models"] if row["memory"])
    assert by_name["steiner-mini"]["cached"] is True
    assert by_name["steiner-mini"]["path"].endswith("steiner-mini.gguf")
    assert by_name["steiner-mini"]["speed"] == "fast"
    assert by_name["steiner-32b"]["size"] is None
    assert b"size unknown" in done.stdout
    assert not (tmp_path / "cache" / "models").exists()  # nothing was fetched


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "headings"), [(44, 2), (60, 3), (80, 4), (120, 7)])
def test_a_narrow_window_gets_fewer_columns(tmp_path: Path, columns: int, headings: int) -> None:
    arguments = ["models", "recommend"]
    with Terminal(tmp_path, arguments, columns=columns, NO_COLOR="1") as terminal:
        assert terminal.wait() == 0
        lines = terminal.screen.decode().splitlines()
    table = [line for line in lines if not line.startswith("Estimated")]
    assert max(map(len, table)) <= columns
    (heading,) = [line for line in table if line.split()[:1] == ["NAME"]]
    assert len(heading.replace("GOOD FOR", "GOOD_FOR").split()) == headings
    assert "qwen2.5-coder-1.5b" in {line.split()[0] for line in table if line.strip()}


@pytest.mark.slow
def test_pull_show_path_and_rm(tmp_path: Path, hub: FakeHub, tiny_gguf: Path) -> None:
    pulled = run(tmp_path, "models", "pull", REPO)
    assert pulled.returncode == 0, pulled.stderr
    path = Path(pulled.stdout.decode().strip())
    assert path.read_bytes() == tiny_gguf.read_bytes()
    assert FILE.encode() in pulled.stderr
    again = run(tmp_path, "models", "pull", REPO, "--json")
    assert (json.loads(again.stdout)["path"], again.stderr) == (str(path), b"")
    shown = json.loads(run(tmp_path, "models", "show", REPO, "--json").stdout)
    assert shown["file"]["architecture"] == "llama"
    assert shown["file"]["policy"] is True
    assert shown["spec"] is None
    assert json.loads(run(tmp_path, "models", "path", REPO, "--json").stdout)["path"] == str(path)
    removed = json.loads(run(tmp_path, "models", "rm", REPO, "--json").stdout)
    assert removed["removed"] == [str(path)]
    assert run(tmp_path, "models", "path", REPO).returncode == 1


@pytest.mark.slow
def test_quiet_says_nothing_but_the_path(tmp_path: Path, hub: FakeHub) -> None:
    done = run(tmp_path, "models", "pull", REPO, "-q")
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.slow
def test_progress_is_drawn_on_a_terminal_only(tmp_path: Path, hub: FakeHub) -> None:
    with Terminal(tmp_path, ("models", "pull", REPO), columns=200) as terminal:
        assert terminal.wait() == 0
        assert b"fetching tiny-q4_k_m.gguf" in terminal.screen
        assert b"\r\x1b[J" in terminal.screen  # the status line is erased at the end


@pytest.mark.slow
def test_show_describes_a_file_and_an_entry_that_is_not_here(
    tmp_path: Path, tiny_gguf: Path
) -> None:
    text = run(tmp_path, "models", "show", tiny_gguf).stdout.decode()
    for line in ("architecture   llama", "quantization   F16", "policy         yes"):
        assert line in text
    done = run(tmp_path, "models", "show", "qwen3-4b")
    assert done.returncode == 0
    assert b"models pull qwen3-4b" in done.stdout


@pytest.mark.slow
def test_names_stay_whole_in_a_narrow_window(tmp_path: Path) -> None:
    with Terminal(tmp_path, ["models", "list"], columns=40, NO_COLOR="1") as terminal:
        assert terminal.wait() == 0
        lines = terminal.screen.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert {"qwen2.5-coder-1.5b", "smollm2-135m"} <= {
        line.split()[0] for line in lines if line.strip()
    }


def test_path_without_a_name_is_the_directory(tmp_path: Path) -> None:
    done = run(tmp_path, "models", "path")
    assert done.stdout.decode().strip() == str(tmp_path / "cache" / "models")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("pull", "smollm2-135n"), 2, "did you mean smollm2-135m"),
        (("pull", "./none.gguf"), 2, "no such file"),
        (("pull", REPO), 1, "cannot be reached"),
        (("show", REPO), 1, "not on this machine"),
        (("show", "/etc/hosts"), 1, "not a GGUF"),
        (("rm", "qwen3-4b"), 1, "not on this machine"),
        (("rm", "/etc/hosts"), 2, "your own file"),
        (("path", "qwen3-4b"), 1, "models pull qwen3-4b"),
    ],
)
def test_errors_are_one_line_and_a_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    done = run(tmp_path, "models", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert reason in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.slow
def test_a_malformed_registry_and_a_wrong_checksum(
    tmp_path: Path, hub: FakeHub, tiny_gguf: Path
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "models.toml").write_text("[mine\n")
    done = run(tmp_path, "models", "list")
    assert done.returncode == 2
    assert b"line 1" in done.stderr
    wrong = hashlib.sha256(b"").hexdigest()
    (config / "models.toml").write_text(
        f"[mine]\nrepo = '{REPO}'\nfile = '{FILE}'\nsha256 = '{wrong}'\n"
    )
    done = run(tmp_path, "models", "pull", "mine")
    assert done.returncode == 1
    assert b"SHA-256" in done.stderr.splitlines()[-1]


def test_the_group_is_light_to_import() -> None:
    """`--help` of the whole program imports this module; little else comes in with it."""
    code = (
        "import typer, sys; before = set(sys.modules); import reasoner.cli.app; "
        "print(*sorted(name for name in set(sys.modules) - before if '.' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"_json", "gc", "json", "reasoner"}
