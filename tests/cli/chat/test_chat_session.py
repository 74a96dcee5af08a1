"""Every command and key of a chat in one pseudo-terminal session, Ctrl-C at any moment, and a
terminal that is left as it was found."""

import json
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.terminal import Terminal

BRIEF = ("--budget", "12", "--max-tokens", "40", "--seed", "1", "--context", "2048")
WORTH = "answered, not checked"
PROMPT = "›"
PATIENCE = 240.0


def say(terminal: Terminal, line: str, *expected: str) -> None:
    """Type a line and wait for what it brings, and for the next prompt."""
    terminal.send(f"{line}\r")
    for text in (*expected, PROMPT):
        terminal.expect(text, PATIENCE)


def questions(home: Path, conversation: str = "") -> list[str]:
    done = run(home, "history", "show", *([conversation] if conversation else []), "--json")
    return [turn["question"] for turn in json.loads(done.stdout)["turns"]]


@pytest.mark.slow
def test_every_command_in_one_session(tiny_gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("The sky is green.\n")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "written elsewhere" > "$1"\n')
    editor.chmod(0o755)
    arguments: list[str | Path] = ["chat", "-m", tiny_gguf, *BRIEF, "--no-verify"]
    with Terminal(tmp_path, arguments, columns=200, EDITOR=str(editor)) as terminal:
        terminal.expect(PROMPT, PATIENCE)
        say(terminal, "/help", "/regen", "/tokens", "begin with /")
        say(terminal, "/undo", "nothing was said yet")
        say(terminal, "first", "  1 ", " tokens", WORTH)
        say(terminal, "/think", "  1 ")
        say(terminal, "/regen", WORTH)
        say(terminal, "second", WORTH)
        say(terminal, "/undo", "taken back: second")
        say(terminal, "/fork", "stays as it is")
        say(terminal, f"/read {tmp_path / 'facts.txt'}", "goes with the next question")
        say(terminal, "third", WORTH)
        say(terminal, "/edit", "written elsewhere", WORTH)
        say(terminal, "/verify", "sympy_check: ")
        say(terminal, "/verify 391", "the expected one")
        say(terminal, "/think off", "thinking off")
        say(terminal, "/think hide", "thinking: hide")
        say(terminal, "/think summaries", "later turns see the summaries")
        say(terminal, "/think nonsense", "/think on, off")
        say(terminal, "/effort low", "effort low")
        say(terminal, "/effort huge", "effort")
        say(terminal, "/strategy majority n=2", "strategy majority")
        say(terminal, "/strategy linear", "strategy linear")
        say(terminal, "/set top_p 0.5", "top_p 0.5")
        say(terminal, "/model", "model ")
        say(terminal, "/copy", "\x1b]52;c;", "clipboard")
        say(terminal, "/tokens", "of 2048 tokens", "the last answer: prompt")
        say(terminal, f"/save {tmp_path / 'talk.md'}", "saved 3 turns")
        say(terminal, f"/save {tmp_path / 'talk.md'}", "exists")
        say(terminal, f"/save {tmp_path / 'talk.json'}", "saved 3 turns")
        say(terminal, "/compact drop", "2 turns are out")
        say(terminal, "/compact summarise", "out of the talk")
        say(terminal, "/clear", "forgotten")
        say(terminal, "/nonsense", "no command named")
        terminal.send("/exit\r")
        assert terminal.wait(PATIENCE) == 0
        assert terminal.restored()
    assert (tmp_path / "talk.md").read_text().startswith("> first\n")
    saved = json.loads((tmp_path / "talk.json").read_text())
    assert [turn["question"] for turn in saved["turns"]] == [
        "first",
        "The sky is green.\n\nthird",
        "written elsewhere",
    ]
    assert questions(tmp_path) == [turn["question"] for turn in saved["turns"]]


@pytest.mark.slow
def test_ctrl_c_at_any_moment_ends_nothing(tiny_gguf: Path, tmp_path: Path) -> None:
    moments = random.Random(6)
    arguments: list[str | Path] = ["chat", "-m", tiny_gguf, "--no-verify", "--context", "2048"]
    limits = ["--min-steps", "20", "--budget", "300", "--max-tokens", "400"]
    with Terminal(tmp_path, [*arguments, *limits]) as terminal:
        terminal.expect(PROMPT, PATIENCE)
        for number in range(50):
            if number % 5 == 0:
                terminal.send(f"question {number}\r")
            time.sleep(moments.uniform(0, 0.2))
            if number % 2:
                terminal.send("\x03")
            else:
                os.kill(terminal.pid, signal.SIGINT)
        time.sleep(1)
        terminal.send("\x03")
        terminal.send("/tokens\r")
        terminal.expect("the talk takes", PATIENCE)
        terminal.expect(PROMPT, PATIENCE)
        terminal.send("\x04")
        assert terminal.wait(PATIENCE) == 0
        assert terminal.restored()
    with sqlite3.connect(tmp_path / "data" / "history.db") as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_restored_when_the_chat_is_ended(
    tiny_gguf: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with Terminal(tmp_path, ["chat", "-m", tiny_gguf, *BRIEF]) as terminal:
        terminal.expect(PROMPT, PATIENCE)
        os.kill(terminal.pid, number)
        assert terminal.wait(PATIENCE) == 128 + number
        assert terminal.restored()


@pytest.mark.slow
def test_a_full_context_is_never_cut_in_silence(tiny_gguf: Path, tmp_path: Path) -> None:
    arguments: list[str | Path] = ["chat", "-m", tiny_gguf, *BRIEF, "--no-verify", "-s", "Be odd"]
    with Terminal(tmp_path, arguments) as terminal:
        terminal.expect(PROMPT, PATIENCE)
        say(terminal, "x" * 680, WORTH)
        say(terminal, "y" * 680, WORTH)
        terminal.send("z" * 150 + "\r")
        terminal.expect("of 2048 tokens", PATIENCE)
        terminal.expect("(d)", PATIENCE)
        terminal.send("d\r")
        terminal.expect("the first turn is out of the talk", PATIENCE)
        terminal.expect(WORTH, PATIENCE)
        terminal.expect(PROMPT, PATIENCE)
        terminal.send("\x04")
        assert terminal.wait(PATIENCE) == 0
    assert len(questions(tmp_path)) == 3


@pytest.mark.slow
def test_a_late_turn_reads_only_its_own_tokens(tiny_gguf: Path, tmp_path: Path) -> None:
    """The tiny model's tokens are bytes, so a question's length is its number of tokens."""
    lines = "".join(f"this is question number {number}\n" for number in range(10, 20))
    limits = ("--budget", "20", "--max-tokens", "60", "--context", "2048", "--no-verify")
    chat: list[str | Path] = ["chat", "-m", tiny_gguf, *limits, "-s", "Be odd", "-u"]
    told = run(tmp_path, *chat, stdin=lines.encode(), seconds=PATIENCE).stderr.decode().splitlines()
    read = [int(line.split("(")[1].split()[0]) for line in told if line.startswith("prompt ")]
    assert len(read) == 10
    template = len("<|im_end|>\n<|im_start|>assistant\n")
    assert read[-1] <= len("this is question number 19") + template
