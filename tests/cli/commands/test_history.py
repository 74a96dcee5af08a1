"""`reasoner history`, and the questions it is made of, on the real command."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.cli.terminal import Terminal

BRIEF = ("--budget", "8", "--max-tokens", "40", "--seed", "1", "--no-verify")


def listed(home: Path) -> list[dict[str, Any]]:
    done = run(home, "history", "list", "--json")
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def shown(home: Path, *arguments: str) -> Any:
    done = run(home, "history", "show", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_question_is_recorded_found_continued_and_removed(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    first = run(tmp_path, "ask", "Why are zebras striped?", "-m", tiny_gguf, *BRIEF, "-s", "Be odd")
    assert first.returncode == 0, first.stderr
    (talk,) = listed(tmp_path)
    assert (talk["title"], talk["turns"]) == ("Why are zebras striped?", 1)

    second = run(tmp_path, "ask", "And horses?", "-c", "-m", tiny_gguf, *BRIEF, "--json")
    third = run(tmp_path, "ask", "Alone?", "-s", "Be odd", "-m", tiny_gguf, *BRIEF, "--json")
    assert [talk["turns"] for talk in listed(tmp_path)] == [1, 2]
    prompts = [json.loads(done.stdout)["usage"]["prompt_tokens"] for done in (second, third)]
    assert prompts[0] > prompts[1] + len("Why are zebras striped?")

    turns = shown(tmp_path, talk["id"][:6])["turns"]
    assert [turn["system"] for turn in turns] == ["Be odd", "Be odd"]
    assert turns[0]["result"]["reasoning"]
    readable = run(tmp_path, "history", "show", talk["id"]).stdout.decode()
    assert readable.startswith("> Why are zebras striped?\n\n")
    assert "1. " in run(tmp_path, "history", "show", talk["id"], "-r").stdout.decode()

    found = run(tmp_path, "history", "search", "zebra", "stri")
    assert found.stdout.decode().startswith(talk["id"])
    assert run(tmp_path, "history", "search", "unheard-of").returncode == 4

    lines = run(tmp_path, "history", "export").stdout.splitlines()
    assert [len(json.loads(line)["turns"]) for line in lines] == [2, 1]
    assert run(tmp_path, "history", "rm", talk["id"]).returncode == 0
    assert [talk["title"] for talk in listed(tmp_path)] == ["Alone?"]


@pytest.mark.slow
def test_cid_goes_on_with_that_one(tiny_gguf: Path, tmp_path: Path) -> None:
    for question in ("one", "two"):
        run(tmp_path, "ask", question, "-m", tiny_gguf, *BRIEF)
    older = next(talk["id"] for talk in listed(tmp_path) if talk["title"] == "one")
    done = run(tmp_path, "ask", "three", "--cid", older[:8], "-m", tiny_gguf, *BRIEF)
    assert done.returncode == 0
    assert [turn["question"] for turn in shown(tmp_path)["turns"]] == ["one", "three"]


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "setting"), [(["-n"], "1"), (["--no-log"], "1"), ([], "0")])
def test_nothing_is_recorded_when_told_so(
    tiny_gguf: Path, tmp_path: Path, flags: list[str], setting: str
) -> None:
    asked: list[str | Path] = ["ask", "hi", "-m", tiny_gguf, *BRIEF, *flags]
    assert run(tmp_path, *asked, REASONER_HISTORY=setting).returncode == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_a_damaged_history_costs_one_line_and_not_the_answer(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "history.db").write_bytes(b"no database" * 500)
    done = run(tmp_path, "ask", "hi", "-m", tiny_gguf, *BRIEF)
    assert done.returncode == 0
    assert done.stdout.strip()
    assert done.stderr.count(b"not recorded") == 1
    reading = run(tmp_path, "history", "list")
    assert reading.returncode == 1
    assert len(reading.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", "x", "-c"], "no conversation yet"),
        (["ask", "x", "-c", "--cid", "ab"], "not both"),
        (["ask", "x", "--cid", "../../etc"], "no conversation '../../etc'"),
        (["history", "show", "ab"], "no conversation 'ab'"),
        (["history", "rm"], "name the conversations"),
        (["history", "rm", "--all"], "say --yes"),
        (["history", "search", "***"], "words to search"),
        (["history", "lsit"], "lsit"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_removing_all_asks_first(tiny_gguf: Path, tmp_path: Path) -> None:
    run(tmp_path, "ask", "hi", "-m", tiny_gguf, *BRIEF)
    for reply, left in (("n", 1), ("y", 0)):
        with Terminal(tmp_path, ["history", "rm", "--all"]) as terminal:
            terminal.expect("[y/N]")
            terminal.send(f"{reply}\n")
            terminal.wait()
        assert len(listed(tmp_path)) == left


@pytest.mark.slow
def test_a_chat_is_one_conversation_and_goes_on(tiny_gguf: Path, tmp_path: Path) -> None:
    chat: list[str | Path] = ["chat", "-m", tiny_gguf, *BRIEF]
    run(tmp_path, *chat, stdin=b"one\ntwo\n")
    run(tmp_path, *chat, "--continue", stdin=b"three\n/clear\nfour\n")
    assert [(talk["title"], talk["turns"]) for talk in listed(tmp_path)] == [
        ("four", 1),
        ("one", 3),
    ]


def test_the_path_is_told(tmp_path: Path) -> None:
    told = run(tmp_path, "history", "path").stdout.decode().strip()
    assert told == str(tmp_path / "data" / "history.db")
