"""The help of every command: it fits its window, and what it shows can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from reasoner.cli.app import app
from reasoner.cli.help.layout import first_sentence
from reasoner.cli.help.manual import PAGES
from tests.cli.command import run
from tests.cli.terminal import Terminal

ROOT: Any = typer.main.get_command(app)
RAW_TYPE = re.compile(r"<(?:str|int|float|path|int range|float range|list\[.*)>")
JOINTS = set("|;&<>()")


def _tree(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name in list(getattr(command, "commands", {})):
        yield from _tree(command.load_command(name), f"{path} {name}".strip())


TREE = dict(_tree(ROOT))


def _help(path: str, columns: int, patch: pytest.MonkeyPatch) -> list[str]:
    patch.setenv("COLUMNS", str(columns))
    context = ROOT.make_context("reasoner", [], resilient_parsing=True)
    for name in path.split():
        inner = context.command.load_command(name)
        context = inner.make_context(name, [], parent=context, resilient_parsing=True)
    return str(context.command.get_help(context)).splitlines()


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    assert set(PAGES) == set(TREE)
    assert all(page.examples for page in PAGES.values())


def test_the_table_of_commands_has_the_first_sentences_of_their_help() -> None:
    for path, group in TREE.items():
        for name, entry in getattr(group, "entries", {}).items():
            command = TREE[f"{path} {name}".strip()]
            assert entry.summary == first_sentence(command.help or ""), name


@pytest.mark.parametrize("path", TREE)
def test_the_help_fits_a_wide_and_a_narrow_window(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, narrow = _help(path, 80, monkeypatch), _help(path, 40, monkeypatch)
    assert max(map(len, wide)) <= 80
    told = narrow[: narrow.index("Examples:")]
    assert [line for line in told if len(line) > 40 and not line.startswith("  -")] == []
    assert not any(RAW_TYPE.search(line) for line in wide)
    assert not any("\x1b" in line for line in wide)
    assert "..." not in "".join(wide[wide.index("Options:") :])  # no sentence was cut short


@pytest.mark.parametrize("path", PAGES)
def test_every_example_can_be_typed(path: str) -> None:
    text = "\n".join(line for line in PAGES[path].examples if not line.startswith("#"))
    typed = [words for line in text.replace("\\\n", " ").split("\n") for words in _commands(line)]
    assert typed
    for words in typed:
        command = ROOT
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.load_command(words[0]), words[1:]
        command.make_context("reasoner", words)  # raises for what is no option or no value


def _commands(line: str) -> Iterator[list[str]]:
    """The arguments of each `reasoner` of a shell line."""
    for inner in re.findall(r"\$\((.+?)\)", line):
        yield from _commands(inner)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not set(word) <= JOINTS:
            words.append(word)
            continue
        if "reasoner" in words:
            yield words[words.index("reasoner") + 1 :]
        words = []


@pytest.mark.slow
def test_a_terminals_own_width_counts(tmp_path: Path) -> None:
    with Terminal(tmp_path, ["cache", "--help"], columns=40) as terminal:
        assert terminal.wait() == 0
        lines = terminal.screen.decode().splitlines()
    assert "  verdicts, and prompts as a model has" in lines
    assert b"\x1b" not in terminal.screen


@pytest.mark.slow
def test_the_exit_codes_are_told_where_they_matter(tmp_path: Path) -> None:
    for command in ("ask", "batch", "verify"):
        told = run(tmp_path, command, "--help").stdout.decode()
        for code in ("0", "1", "2", "3", "4", "130"):
            assert re.search(rf"^  {code} +\S", told.partition("Exit codes:")[2], re.M)
