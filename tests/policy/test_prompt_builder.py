"""Prompts of real files: the template's switch, and the messages, in every protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import BadModelFile
from reasoner.models.chat_templates import CHAT_TEMPLATES, resolve_chat_template
from reasoner.policy.prompt_builder import PromptBuilder, PromptOptions
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.settings import EngineSettings
from reasoner.types.problem import Message, Problem
from tests.scripted_gguf import write_scripted_gguf
from tests.tiny_gguf import CHATML

TAGS = ("<think>", "</think>")
CLOSES_AT_ONCE = (
    "{% set thinking = thinking | default(false) %}{% for m in messages %}"
    "<|{{ m.role }}|>{% if m.role == 'assistant' %}</think>{% endif %}{{ m.content }}{% endfor %}"
    "<|assistant|>{{ '<think>' if thinking else '</think>' }}"
)
CLOSES_WHEN_TOLD = CHATML + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"


async def prompt(
    path: Path, problem: Problem, think: bool, options: PromptOptions, template: str | None = None
) -> str:
    engine = await LocalEngine.open(path, EngineSettings(context=512), chat_template=template)
    try:
        protocol = choose_protocol(engine, engine.chat_template or "", None)
        tokens = PromptBuilder(engine, protocol, options).prompt_tokens(problem, think, None)
        return engine.detokenize(tokens, special=True)
    finally:
        await engine.close()


def marked_file(tmp_path: Path, template: str | None, **tags: Any) -> Path:
    return write_scripted_gguf(
        tmp_path / "m.gguf", ["Fine.", "<|im_end|>"], chat_template=template, **tags
    )


@pytest.mark.parametrize("tags", [{"control": TAGS}, {"user_defined": TAGS}, {}])
@pytest.mark.parametrize(
    ("template", "think", "end"),
    [
        (CLOSES_AT_ONCE, True, "<|assistant|><think>"),
        (CLOSES_AT_ONCE, False, "<|assistant|></think>"),
        (CLOSES_WHEN_TOLD, False, "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
    ],
)
async def test_one_block_open_or_empty(
    tmp_path: Path, tags: Mapping[str, Any], template: str, think: bool, end: str
) -> None:
    path = marked_file(tmp_path, template, **tags)
    text = await prompt(path, Problem(question="Hi"), think, PromptOptions())
    assert text.endswith(end)
    assert text.count("<think>") + text.count("</think>") == end.count("think>")


async def test_effort_budget_and_arguments_reach_the_template(tmp_path: Path) -> None:
    template = CHATML + "{{ reasoning_effort }} {{ thinking_budget }} {{ style }}"
    options = PromptOptions(effort="max", budget=640, arguments={"style": ["a", 1]})
    path = marked_file(tmp_path, template)
    text = await prompt(path, Problem(question="Hi"), True, options)
    assert text.endswith("high 640 ['a', 1]")


async def test_the_whole_conversation_stands_in_a_prompt_of_a_narrow_template(
    tmp_path: Path,
) -> None:
    template = (
        "{% for m in messages if m.role != 'system' %}"
        "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('in turns') }}"
        "{% endif %}({{ m.role }}){% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
    )
    history = (
        Message(role="user", content="One."),
        Message(role="user", content="Two."),
        Message(role="assistant", content="Three."),
        Message(role="system", content="Four."),
    )
    problem = Problem(question="Five.", system="Zero.", history=history)
    text = await prompt(marked_file(tmp_path, template), problem, False, PromptOptions())
    assert text == "(user)Zero.\n\nOne.\n\nTwo.(assistant)Three.(user)Four.\n\nFive."


async def test_a_file_without_template_needs_one_and_says_how(tmp_path: Path) -> None:
    path = marked_file(tmp_path, None)
    with pytest.raises(BadModelFile, match="--chat-template chatml, another name or a file"):
        await prompt(path, Problem(question="Hi"), True, PromptOptions())
    text = await prompt(path, Problem(question="Hi"), False, PromptOptions(), CHATML)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("name", CHAT_TEMPLATES)
async def test_a_named_template_holds_a_conversation(tmp_path: Path, name: str) -> None:
    history = (Message(role="user", content="One."), Message(role="assistant", content="Two."))
    problem = Problem(question="Three.", system="Zero.", history=history)
    path = marked_file(tmp_path, "the file's own")
    text = await prompt(path, problem, False, PromptOptions(), resolve_chat_template(name))
    places = [text.find(part) for part in ("Zero.", "One.", "Two.", "Three.")]
    assert min(places) >= 0
    assert places == sorted(places)
    assert "{" not in text
