"""`--stop` ends what is printed, in every output and from every command that answers."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.scripted_gguf import write_scripted_gguf
from tests.tiny_gguf import THINK_CHATML, THINK_TOKENS


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scripted_gguf(
        tmp_path_factory.mktemp("models") / "s.gguf",
        ["Is it -- Quito?\n", "</think>"],
        ["\n\n", "It is Quito", ". -", "- Or not", " at all.", "<|im_end|>"],
        switch=["</think>"],
        user_defined=THINK_TOKENS,
        chat_template=THINK_CHATML,
    )


ASK = ("--no-think", "--stop", "--", "--stop", "Lima", "-m")
QUESTION = "Capital of Ecuador?"


@pytest.mark.slow
def test_the_answer_is_printed_up_to_the_text(model: Path, tmp_path: Path) -> None:
    asked = run(tmp_path, "ask", *ASK, model, QUESTION)
    assert (asked.returncode, asked.stdout) == (0, b"It is Quito.\n")
    again = run(tmp_path, "ask", *ASK, model, "--json", QUESTION)
    assert json.loads(again.stdout)["cached"]
    other = run(tmp_path, "ask", "--no-think", "--stop", "Or", "-m", model, "--json", QUESTION)
    assert json.loads(other.stdout)["answer"] == "It is Quito. --"
    assert not json.loads(other.stdout)["cached"]


def test_events_show_no_part_of_the_text(model: Path, tmp_path: Path) -> None:
    asked = run(tmp_path, "ask", "--ndjson", *ASK, model, QUESTION)
    events = [json.loads(line) for line in asked.stdout.splitlines()]
    texts = [event["text"] for event in events if event["kind"] == "text"]
    assert "".join(texts).strip() == "It is Quito."
    assert events[-1]["result"]["finish_reason"] == "stop"


@pytest.mark.slow
def test_batches_and_chats_take_it(model: Path, tmp_path: Path) -> None:
    batch = run(tmp_path, "batch", *ASK, model, stdin=json.dumps({"question": QUESTION}).encode())
    assert json.loads(batch.stdout)["answer"] == "It is Quito."
    chat = run(tmp_path, "chat", *ASK, model, stdin=QUESTION.encode())
    assert chat.stdout.strip() == b"It is Quito."


@pytest.mark.parametrize("stop", ["", "x" * 201])
def test_a_text_that_cannot_be_used_is_named(model: Path, tmp_path: Path, stop: str) -> None:
    asked = run(tmp_path, "ask", "--stop", stop, "-m", model, QUESTION)
    assert asked.returncode == 2
    assert b"stop" in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1
