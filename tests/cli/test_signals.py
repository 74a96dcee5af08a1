"""SIGTERM and SIGHUP keep what Ctrl-C keeps; Ctrl-C while the program starts is no traceback."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from reasoner.history.database import History
from tests.cli.command import COMMAND, environment, run
from tests.cli.terminal import Terminal
from tests.tiny_gguf import write_tiny_gguf

ENDLESS = ("--min-steps", "900", "--budget", "20000", "--max-tokens", "21000", "--no-verify")
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with room for answers that take a while."""
    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "m.gguf", n_ctx_train=32768)


def started(home: Path, arguments: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    )


def end_when_writing(process: "subprocess.Popen[bytes]", number: int) -> tuple[bytes, bytes]:
    """Send the signal once the program has written something to stderr; return its output."""
    assert process.stderr is not None
    first = os.read(process.stderr.fileno(), 1)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    return stdout, first + stderr


@pytest.mark.parametrize("number", NUMBERS)
def test_an_answer_so_far_is_kept(talker: Path, tmp_path: Path, number: int) -> None:
    command = ("ask", "--json", "--show-reasoning", "-m", talker, *ENDLESS, "hi")
    process = started(tmp_path, command)
    stdout, stderr = end_when_writing(process, number)
    assert process.returncode == 128 + number
    assert json.loads(stdout)["finish_reason"] == "interrupted"
    assert b"Traceback" not in stderr
    with History(tmp_path / "data" / "history.db") as history:
        assert len(history.turns(history.find_conversation(None))) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_records_of_a_batch_are_kept(talker: Path, tmp_path: Path, number: int) -> None:
    items, out = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    items.write_text("not JSON\n" + '{"question": "hi"}\n')
    command = ("batch", items, "--out", out, "-m", talker, *ENDLESS)
    process = started(tmp_path, command)
    _, stderr = end_when_writing(process, number)  # the first record is an error, which is shown
    assert process.returncode == 128 + number
    assert b"1 items are done; the same command goes on from there" in stderr
    assert len(out.read_text().splitlines()) == 1


def test_a_closed_window_keeps_the_answer(talker: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, ["ask", "-m", talker, *ENDLESS, "hi"], NO_COLOR="1") as terminal:
        terminal.expect("\n")
        terminal.hang_up()
        assert terminal.returncode() == 128 + signal.SIGHUP
    with History(tmp_path / "data" / "history.db") as history:
        assert len(history.turns(history.find_conversation(None))) == 1


def test_sigterm_ends_a_chat_and_keeps_the_answer(talker: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, ["chat", "-m", talker, *ENDLESS]) as terminal:
        terminal.expect("›")
        terminal.send("hi\r")
        terminal.expect("  1 ")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        assert terminal.restored()
    with History(tmp_path / "data" / "history.db") as history:
        assert len(history.turns(history.find_conversation(None))) == 1


def test_nohup_is_respected(talker: Path, tmp_path: Path) -> None:
    shell = 'trap "" HUP; exec "$@"'
    command = [*COMMAND, "ask", "-q", "--ndjson", "-m", str(talker), "--max-tokens", "300", "hi"]
    process = subprocess.Popen(
        ["sh", "-c", shell, "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    stdout, _ = process.communicate(timeout=60)
    ending = json.loads(stdout.splitlines()[-1])
    assert ending["result"]["finish_reason"] != "interrupted"


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.4])
def test_ctrl_c_while_starting_is_no_traceback(tmp_path: Path, seconds: float) -> None:
    process = started(tmp_path, ["ask", "-m", "/nowhere.gguf", "hi"])
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT, 1)  # 1: it had looked for the file
    assert b"Traceback" not in stderr or process.returncode == -signal.SIGINT


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_cost_nothing_else(tmp_path: Path, closing: str) -> None:
    script = f"{' '.join(COMMAND)} verify 2 --expect 2 {closing}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment(tmp_path), check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    expected = run(tmp_path, "verify", "2", "--expect", "2").stdout
    assert done.stdout == (b"" if " >" in f" {closing}" else expected)
