"""DeepSeek-R1-Distill-Qwen-7B's own vocabulary and template, through every way of asking.

Its tags are user-defined tokens, which detokenise to their text: whoever ends the thought, neither
tag may stand in an answer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from reasoner.settings import Limits
from reasoner.types.problem import Problem
from tests.cli.command import run
from tests.protocol.writing import open_engine, write
from tests.real_vocabulary.header import Header
from tests.serve.process import SLOW, serving

pytestmark = pytest.mark.slow

QUESTION = "What is seven plus five?"
ANSWER = "The sum is 12."
GREEDY = ("--temperature", "0", "--no-verify")
CUT = ("--budget", "16")
"""The thought has about fifty tokens."""
WAYS: dict[str, tuple[str, ...]] = {
    "the model ends its thought": (),
    "the budget ends it": CUT,
    "the budget ends it at once": ("--budget", "0"),
    "the limit of steps ends it": ("--max-steps", "1", *CUT),
    "it may not think": ("--no-think",),
    "three candidates": ("--strategy", "best-of-n", "-S", "n=3", "--temperature", "0.2", *CUT),
}
TAGS = ("think>", "｜")


def has_tag(text: str | bytes) -> bool:
    text = text if isinstance(text, str) else text.decode()
    return any(tag in text for tag in TAGS)


def ask(home: Path, model: Path, *options: str, question: str = QUESTION) -> dict[str, Any]:
    done = run(home, "ask", "-m", model, *GREEDY, *options, "--json", question)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_header_is_that_of_the_real_model(deepseek_header: Header) -> None:
    types = deepseek_header.value("tokenizer.ggml.token_type")
    ids = deepseek_header.token_ids
    assert (len(ids), ids["<think>"], ids["</think>"]) == (152064, 151648, 151649)
    assert (types[ids["<think>"]], types[ids["<｜User｜>"]]) == (4, 3)
    assert "split('</think>')" in deepseek_header.value("tokenizer.chat_template")


@pytest.mark.parametrize("way", WAYS)
def test_no_tag_stands_in_the_answer(deepseek: Path, tmp_path: Path, way: str) -> None:
    result = ask(tmp_path, deepseek, *WAYS[way])
    assert result["answer"] == ANSWER
    assert result["final"] == "12"
    count = 3 if way == "three candidates" else 1
    assert [item["answer"] for item in result["candidates"]] == [ANSWER] * count
    assert not has_tag("".join(step["text"] for step in result["reasoning"]))
    printed = run(tmp_path, "ask", "-m", deepseek, *GREEDY, *WAYS[way], QUESTION)
    assert printed.stdout.decode().strip() == ANSWER
    assert not has_tag(printed.stderr)


def test_the_budget_holds_what_the_model_thinks(deepseek: Path, tmp_path: Path) -> None:
    whole, cut = ask(tmp_path, deepseek), ask(tmp_path, deepseek, *CUT)
    thoughts = ["".join(step["text"] for step in result["reasoning"]) for result in (whole, cut)]
    assert thoughts[0].startswith("First we have to add both numbers")
    assert thoughts[0].startswith(thoughts[1])
    assert 0 < len(thoughts[1]) < len(thoughts[0])
    assert whole["finish_reason"] == "stop"
    assert cut["finish_reason"] == "budget"
    assert ask(tmp_path, deepseek, "--no-think")["reasoning"] == []


def test_events_hold_no_tag(deepseek: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "-m", deepseek, *GREEDY, *CUT, "--ndjson", QUESTION)
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["kind"] for event in events} >= {"text", "result"}
    assert not has_tag(json.dumps(events, ensure_ascii=False))


def test_tags_that_a_user_types_are_text(deepseek: Path, tmp_path: Path) -> None:
    """As a token, `</think>` in the question would end the model's thought before it begins."""
    question = "What do </think> and <｜User｜> mean?"
    result = ask(tmp_path, deepseek, question=question)
    assert result["question"] == question
    assert result["reasoning"][0]["text"].startswith("First we have to add")
    assert result["answer"] == ANSWER


async def test_the_prompt_begins_once(deepseek: Path) -> None:
    """The template writes the token that the file asks for as well."""
    engine = await open_engine(deepseek)
    trajectory = await write(engine, Limits(budget=16), problem=Problem(question=QUESTION))
    await engine.close()
    assert trajectory.prompt[0] == engine.bos == 151646
    assert trajectory.prompt.count(engine.bos) == 1


def test_a_chat_keeps_answers_only(deepseek: Path, tmp_path: Path) -> None:
    done = run(
        tmp_path, "chat", "-m", deepseek, *GREEDY, *CUT, stdin=b"What is 7 plus 5?\nAre you sure?\n"
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.decode().splitlines() if line] == [ANSWER, ANSWER]
    kept = run(tmp_path, "history", "export").stdout
    assert kept.count(ANSWER.encode()) >= 2
    assert not has_tag(kept)


@pytest.fixture(scope="module")
def client(deepseek: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    home = tmp_path_factory.mktemp("home")
    with (
        serving(home, deepseek, *GREEDY, *CUT) as server,
        openai.OpenAI(
            base_url=f"{server.address}/v1", api_key="none", max_retries=0, timeout=SLOW
        ) as client,
    ):
        yield client


def test_the_server_sends_no_tag(client: openai.OpenAI) -> None:
    messages: Any = [
        {"role": "user", "content": "What is 7 plus 5?"},
        {"role": "assistant", "content": "<think>\nSeven and five.\n</think>\n\nThe sum is 12."},
        {"role": "user", "content": "Are you sure?"},
    ]
    message = client.chat.completions.create(model="default", messages=messages).choices[0].message
    assert message.content == ANSWER
    assert not has_tag(str(message.model_dump()))


def test_a_stream_sends_no_tag(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": QUESTION}]
    stream = client.chat.completions.create(model="default", messages=messages, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert "".join(delta.content or "" for delta in deltas).strip() == ANSWER
    assert thought.strip().startswith("First we have to add")
    assert not has_tag(thought)
