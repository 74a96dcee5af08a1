"""The command as a whole: help, hints, errors, and what importing it costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, environment, run
from tests.cli.terminal import Terminal

COMMANDS = ("ask", "chat", "doctor", "models", "paths")
HEAVY = (
    "pydantic_settings",
    "huggingface_hub",
    "llama_cpp",
    "numpy",
    "sympy",
    "prompt_toolkit",
    "jinja2",
    "pluggy",
    "rich.console",
    "asyncio",
    "reasoner.settings",
)


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert done.stderr == b""
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S", done.stdout.decode(), re.M), command


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reasoner", *arguments],
        capture_output=True,
        env=environment(tmp_path),
        check=True,
        text=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & set(HEAVY)
    if arguments == ["--help"]:  # with options to parse, Typer itself uses pydantic
        assert "pydantic" not in imported


def test_version(tmp_path: Path) -> None:
    assert re.fullmatch(rb"reasoner \d+\.\d+\.\d+\n", run(tmp_path, "--version").stdout)


def test_unknown_command_names_the_nearest_and_how_to_ask(tmp_path: Path) -> None:
    done = run(tmp_path, "chta")
    assert done.returncode == 2
    assert done.stdout == b""
    line = done.stderr.decode()
    assert line.startswith("reasoner: no command named 'chta'; did you mean chat")
    assert 'reasoner ask "' in line
    assert line.count("\n") == 1


def test_an_unknown_word_in_a_group_names_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path, "models", "lsit")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"reasoner: no command named 'lsit'; did you mean list? (")
    assert done.stderr.count(b"\n") == 1


def test_a_question_without_ask_gets_the_hint(tmp_path: Path) -> None:
    done = run(tmp_path, "What is 1 + 1?")
    assert done.returncode == 2
    assert b'reasoner ask "' in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ask", "--zzz"], "no such option: --zzz"),
        (["ask", "--budget", "x", "hi"], "invalid value for '--budget'"),
        (["ask", "--effort", "lots", "hi"], "'lots' is not one of 'low', 'medium'"),
        (["ask", "one", "two"], "got unexpected extra argument"),
        (["trace"], "missing argument 'FILE'"),
        (["models", "list", "--zzz"], "no such option: --zzz"),
        (["--zzz"], "no such option: --zzz"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    line = done.stderr.decode()
    assert line.startswith("reasoner: ")
    assert told in line
    assert line.endswith(" --help\n")
    assert line.count("\n") == 1


def test_bare_command_with_empty_stdin_shows_an_example(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        b'reasoner: no question was given; try: reasoner ask "What is 12 * 13?"\n'
    )


def test_help_into_a_reader_that_leaves(tmp_path: Path) -> None:
    command = f"{sys.executable} -m reasoner ask --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, env=environment(tmp_path), check=True
    )
    assert done.stdout.decode().splitlines()[-1] == "0"
    assert done.stderr == b""


@pytest.mark.slow
def test_a_traceback_only_when_asked_for(tmp_path: Path) -> None:
    plain = run(tmp_path, "ask", "")
    assert b"Traceback" not in plain.stderr
    assert b"Traceback" in run(tmp_path, "--debug", "ask", "").stderr
    assert b"Traceback" in run(tmp_path, "ask", "", REASONER_DEBUG="1").stderr


def test_control_characters_in_errors_are_stripped(tmp_path: Path) -> None:
    done = run(tmp_path, "x\x1b[31m\x07y")
    assert b"\x1b" not in done.stderr
    assert b"\x07" not in done.stderr


def test_a_bad_configuration_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("effort = [\n")
    done = run(tmp_path, "ask", "hi")
    assert done.returncode == 2
    assert b"config.toml" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "paths"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"reasoner: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_without_room_does_not_cost_the_answer(tiny_gguf: Path, tmp_path: Path) -> None:
    brief = ("--budget", "8", "--max-tokens", "40", "--seed", "1", "--no-verify")
    asked = [*COMMAND, "ask", "hi", "-m", str(tiny_gguf), *brief, "--show-reasoning"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            asked, stdout=subprocess.PIPE, stderr=full, env=environment(tmp_path), check=False
        )
    told = run(tmp_path, *asked[len(COMMAND) :])
    assert told.stdout
    assert (done.returncode, done.stdout) == (0, told.stdout)


def test_a_closed_stdout_is_no_error(tmp_path: Path) -> None:
    script = f"{' '.join(COMMAND)} paths >&-"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment(tmp_path), check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_completion_knows_the_models(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        _REASONER_COMPLETE="complete_bash",
        COMP_WORDS="reasoner ask -m smollm2",
        COMP_CWORD="3",
    )
    assert done.stdout.split() == [b"smollm2-135m"]


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--system", "--expect", "--stop"])
def test_an_option_that_is_no_text_is_refused_by_name(tmp_path: Path, option: str) -> None:
    command: list[str | bytes] = [*COMMAND, "ask", option, b"caf\xe9", "hi"]
    done = subprocess.run(
        command,
        capture_output=True,
        env=environment(tmp_path),
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"reasoner: {option} is not UTF-8 text; give text, or convert it first\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["history", "search", "zzz"], ["ask", "-m", "none", "hi"]])
def test_an_error_at_a_narrow_terminal_breaks_between_words(
    tmp_path: Path, arguments: list[str]
) -> None:
    told = run(tmp_path, *arguments).stderr.decode()
    with Terminal(tmp_path, arguments, columns=24) as terminal:
        terminal.wait()
        lines = terminal.screen.decode().splitlines()
    assert " ".join(lines) == told.rstrip("\n")
    assert max(map(len, lines)) <= 24
