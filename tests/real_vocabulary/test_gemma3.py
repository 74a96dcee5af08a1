"""Gemma 3's own SentencePiece vocabulary, and its sliding window of 512 tokens.

Line breaks, tabs, runs of spaces and HTML tags are user-defined tokens of it, and no marks at all:
they have to be read and shown like any other text.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from reasoner.settings import Limits
from reasoner.types.problem import Problem
from tests.cli.command import run
from tests.protocol.writing import open_engine, write
from tests.real_vocabulary.header import Header

pytestmark = pytest.mark.slow

GREEDY = ("--temperature", "0", "--no-verify")
ANSWER = "First a thought.\n\n<ul><li>Twelve</li></ul>\n\n\nThe answer is twelve!"
LONG = "Seven and five are given. " * 120 + "What is their sum?"
"""Longer than the window."""


def ask(home: Path, model: Path, question: str, *options: str) -> dict[str, Any]:
    done = run(home, "ask", "-m", model, *GREEDY, *options, "--json", question)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_header_is_that_of_the_real_model(gemma_header: Header) -> None:
    types, ids = gemma_header.value("tokenizer.ggml.token_type"), gemma_header.token_ids
    assert (gemma_header.value("tokenizer.ggml.model"), len(ids)) == ("llama", 262144)
    assert gemma_header.value("gemma3.attention.sliding_window") == 512
    assert [types[ids[token]] for token in ("\n", "\n\n", "<ul>", "<end_of_turn>")] == [4, 4, 4, 3]


def test_user_defined_tokens_are_text(gemma: Path, tmp_path: Path) -> None:
    result = ask(tmp_path, gemma, "What is seven plus five?")
    assert result["answer"] == ANSWER
    assert result["reasoning"] == []


async def test_a_question_keeps_its_lines(gemma: Path, gemma_header: Header) -> None:
    engine = await open_engine(gemma)
    question = "Two lines:\n\nfirst,\n\tsecond,   third"
    trajectory = await write(engine, Limits(budget=64), problem=Problem(question=question))
    text = engine.detokenize(list(trajectory.prompt), special=True)
    so = engine.tokenize("So")
    await engine.close()
    assert question in text
    assert gemma_header.token_ids["\n\n"] in trajectory.prompt
    assert trajectory.prompt[0] == gemma_header.token_ids["<bos>"]
    assert trajectory.prompt.count(gemma_header.token_ids["<bos>"]) == 1
    assert so == [gemma_header.token_ids["So"]]  # without a space before it


def test_prompts_longer_than_the_window_fork(gemma: Path, tmp_path: Path) -> None:
    """Every candidate continues the one prompt, whose beginning has left the window."""
    single = ask(tmp_path, gemma, LONG)
    assert single["usage"]["prompt_tokens"] > 512
    assert single["answer"] == ANSWER
    several = ask(
        tmp_path, gemma, LONG, "--strategy", "best-of-n", "-S", "n=3", "--temperature", "0.2"
    )
    assert [item["answer"] for item in several["candidates"]] == [ANSWER] * 3
    assert several["usage"]["decoded_tokens"] < several["usage"]["prompt_tokens"] * 1.1


def test_a_second_turn_continues_a_long_first_one(gemma: Path, tmp_path: Path) -> None:
    lines = f"{LONG}\nAre you sure?\n".encode()
    done = run(tmp_path, "chat", "-m", gemma, *GREEDY, stdin=lines)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.decode().split("twelve!\n", 1)
    assert f"{first}twelve!" == ANSWER
    assert second.strip().endswith("The answer is twelve!")
