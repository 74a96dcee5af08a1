"""Shell completion, asked as bash, zsh and fish ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reasoner.cli.help.completion import complete_strategies
from reasoner.search.strategies.registry import STRATEGIES
from tests.cli.command import environment, run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("reasoner ser", {"serve"}),
        ("reasoner ask --effort m", {"medium", "max"}),
        ("reasoner ask -m smollm2", {"smollm2-135m"}),
        ("reasoner ask --strategy ma", {"majority"}),
        ("reasoner ask --strategy maj -S ad", set()),
        ("reasoner ask --strategy majority -S ad", {"adaptive="}),
        ("reasoner batch --value-format math", {"math-shepherd"}),
        ("reasoner models show smollm2", {"smollm2-135m"}),
    ],
)
def test_names(tmp_path: Path, line: str, offered: set[str]) -> None:
    done = run(
        tmp_path,
        _REASONER_COMPLETE="complete_fish",
        _TYPER_COMPLETE_ARGS=line,
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    found = {text.split("\t")[0] for text in done.stdout.decode().splitlines() if text}
    assert found == offered
    assert done.stderr == b""


@pytest.mark.parametrize("line", ["reasoner ask --strategy ", "reasoner ask -m "])
def test_nothing_heavy_is_imported(tmp_path: Path, line: str) -> None:
    done = run(
        tmp_path,
        _REASONER_COMPLETE="complete_zsh",
        _TYPER_COMPLETE_ARGS=line,
        PYTHONPROFILEIMPORTTIME="1",
    )
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.decode().splitlines()}
    assert "typer" in imported
    assert not imported & {"llama_cpp", "numpy", "sympy", "httpx2", "starlette", "huggingface_hub"}


def test_every_strategy_is_offered() -> None:
    assert complete_strategies("") == list(STRATEGIES)


def test_a_broken_models_file_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text("[broken")
    done = run(
        tmp_path,
        _REASONER_COMPLETE="complete_fish",
        _TYPER_COMPLETE_ARGS="reasoner ask -m smol",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert (done.stdout.strip(), done.stderr) == (b"", b"")


def test_in_a_real_bash(tmp_path: Path) -> None:
    """The script that is shown is sourced and asked, as bash does at a Tab."""
    bash = shutil.which("bash")
    assert bash is not None
    shim = tmp_path / "reasoner"
    shim.write_text('#!/bin/sh\nexec "$PYTHON" -m reasoner "$@"\n')
    shim.chmod(0o755)
    script = (
        'eval "$(reasoner --show-completion)"; COMP_WORDS=(reasoner ask --strategy maj); '
        'COMP_CWORD=3; _reasoner_completion reasoner; echo "${COMPREPLY[@]}"'
    )
    variables = environment(
        tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}", PYTHON=sys.executable
    )
    done = subprocess.run([bash, "-c", script], capture_output=True, env=variables, check=True)
    assert done.stdout == b"majority\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "mark"),
    [
        (["--show-completion", "zsh"], "compdef"),
        (["--show-completion=fish"], "complete --command"),
        (["--debug", "--show-completion", "bash"], "COMPREPLY"),
    ],
)
def test_the_script_of_the_named_shell(tmp_path: Path, arguments: list[str], mark: str) -> None:
    assert mark in run(tmp_path, *arguments).stdout.decode()


@pytest.mark.slow
@pytest.mark.parametrize("words", [["csh"], ["zsh", "fish"], ["ask"]])
def test_another_word_is_refused(tmp_path: Path, words: list[str]) -> None:
    done = run(tmp_path, "--show-completion", *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"bash, zsh, fish" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_for_the_named_shell(tmp_path: Path, shell: str) -> None:
    done = run(tmp_path, "--install-completion", shell, HOME=str(tmp_path))
    path = Path(done.stdout.decode().split(" is in ")[1].split("; ")[0])
    assert path.is_relative_to(tmp_path)
    assert "reasoner" in path.read_text()
