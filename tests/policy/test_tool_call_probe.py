"""What a chat template shows about calls of tools when it is rendered."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.policy.tool_call_probe import TemplateCalls, probe_tool_calls
from reasoner.policy.tool_style import choose_tool_style
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.native_calls import NativeStyle
from reasoner.protocol.tool_call_styles import build_function_schemas
from reasoner.types.problem import Message
from reasoner.types.tool_call import Tool
from tests.policy.tool_templates import (
    CALLING_TEMPLATES,
    DESCRIBED_TEMPLATES,
    calling_template,
    render_turns,
)
from tests.tiny_gguf import CHATML

PYTHON = Tool(name="python", description="Runs Python.", parameter="code", fence_language="python")
LOOKUP = Tool(name="look_up", description="Finds a word.", parameter="word", fence_language="word")
TOOLS = [PYTHON, LOOKUP]


def probe(template: str, tools: Sequence[Tool] = TOOLS) -> TemplateCalls | None:
    return probe_tool_calls(partial(render_turns, template), template, tools)


@pytest.mark.parametrize(
    ("name", "marks", "prefix"),
    [
        (
            "hermes",
            ("<tool_call>", "</tool_call>"),
            '<tool_call>\n{"name": "python", "arguments": {"code": "',
        ),
        (
            "text",
            ("<tool_call>", "</tool_call>"),
            '<tool_call>{"name": "python", "arguments": {"code": "',
        ),
        (
            "xml",
            ("<tool_call>", "</tool_call>"),
            "<tool_call>\n<function=python>\n<parameter=code>\n",
        ),
        (
            "glm",
            ("<tool_call>", "</tool_call>"),
            "<tool_call>python<arg_key>code</arg_key><arg_value>",
        ),
        ("mistral", ("[TOOL_CALLS]", ""), '[TOOL_CALLS]python[ARGS]{"code": "'),
        ("llama", ("", ""), '{"name": "python", "parameters": {"code": "'),
        ("unheard of", ("<do>", "</do>"), "<do>python := "),
    ],
)
def test_the_marks_of_a_call_are_seen_in_the_history(
    name: str, marks: tuple[str, str], prefix: str
) -> None:
    calls = probe(CALLING_TEMPLATES[name])
    assert calls is not None
    assert (calls.call_format.start, calls.call_format.end) == marks
    assert calls.call_prefix == prefix


@pytest.mark.parametrize("name", CALLING_TEMPLATES)
def test_the_wrapper_is_what_the_template_writes_after_the_call(name: str) -> None:
    """The call, the text before the output, the output, the text after it."""
    template, code = CALLING_TEMPLATES[name], "print(3)"
    style = choose_tool_style(TOOLS, template, None)
    assert isinstance(style, NativeStyle)
    wrapper = style.output_wrapper("python")
    arguments: Any = '{"code": "print(3)"}' if name == "text" else {"code": code}
    call = {"type": "function", "function": {"name": "python", "arguments": arguments}}
    turns: list[Mapping[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "name": "python", "content": "3\n"},
    ]
    text = render_turns(template, turns, {})
    output = "3\\n" if wrapper.as_json else "3\n"
    assert text.endswith(f"{wrapper.before}{output}{wrapper.after}")
    written = text.removesuffix(f"{wrapper.before}{output}{wrapper.after}")
    found = style.find_call(written.rpartition("<|im_start|>assistant\n")[2])
    assert found is not None
    assert (found.tool, found.text) == ("python", code)


def test_an_output_that_the_template_writes_as_json_is_put_there_as_json() -> None:
    wrapper = choose_tool_style(TOOLS, CALLING_TEMPLATES["llama"], None).output_wrapper("python")
    assert wrapper.as_json
    assert wrapper.before.endswith('ipython\n"')
    assert wrapper.after.startswith('"<|im_end|>')


def test_an_output_is_put_under_the_name_of_the_tool_that_made_it() -> None:
    style = choose_tool_style(TOOLS, CALLING_TEMPLATES["unheard of"], None)
    assert "<did name=look_up>" in style.output_wrapper("look_up").before
    assert "<did name=python>" in style.output_wrapper("python").before


@pytest.mark.parametrize(
    ("name", "start"),
    [("xml", "<tool_call>"), ("lists", "<|tool_call|>"), ("python", "<|tool_call_start|>")],
)
def test_a_template_without_calls_in_the_history_is_known_by_what_it_tells_the_model(
    name: str, start: str
) -> None:
    told = f"{{% if tools %}}{{{{ tools | tojson }}}}\n{DESCRIBED_TEMPLATES[name]}{{% endif %}}"
    calls = probe(told + CHATML)
    assert calls is not None
    assert calls.call_format.start == start
    assert calls.wrappers["python"].before == "<|im_end|>\n<|im_start|>tool\n"
    assert calls.wrappers["python"].after == "<|im_end|>\n<|im_start|>assistant\n"


OFFERING = "{% if tools %}{{ tools | tojson }}{% endif %}"
UNKNOWN = {
    "no tools": CHATML,
    "tools in the history only": CHATML + "{# <tool_call> tools #}",
    "tools without a form for calls": OFFERING + CHATML,
    "no turn for outputs": OFFERING
    + "<tool_call></tool_call>{% for m in messages %}{% if m.role != 'tool' %}{{ m.content }}"
    "{% endif %}{% endfor %}",
    "no tools wanted": "{% if tools %}{{ raise_exception('no') }}{% endif %}" + CHATML,
    "calls that nothing marks": calling_template("{{ c.name }} {{ c.arguments.code }}"),
    "calls without their argument": calling_template("<call>{{ c.name }}</call>"),
    "a wall of text": calling_template(
        "{{ '<do>' * 4000 }}{{ c.name }}{{ c.arguments.code }}</do>"
    ),
    "no template": "",
}


@pytest.mark.parametrize("template", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("named", [None, "native"])
def test_what_cannot_be_spoken_is_fenced_from_the_beginning(
    template: str, named: str | None
) -> None:
    style = choose_tool_style(TOOLS, template, named)
    message = Message(role="user", content="Hi")
    assert "```python block" in style.describe_tools([message])[0].content
    assert style.function_schemas() == []
    assert style.output_wrapper("python").before == "\n```output\n"


def test_the_registry_can_ask_for_fenced_blocks() -> None:
    assert isinstance(choose_tool_style(TOOLS, CALLING_TEMPLATES["xml"], "fenced"), FencedStyle)


def test_smollm3_takes_tools_under_a_name_of_its_own() -> None:
    template = CALLING_TEMPLATES["hermes"].replace("tools", "xml_tools")
    assert isinstance(choose_tool_style(TOOLS, template, None), NativeStyle)
    text = render_prompt(
        template,
        [Message(role="user", content="Hi")],
        functions=build_function_schemas(TOOLS),
    )
    assert "look_up" in text


def test_a_forced_call_leaves_harmonys_thought_first() -> None:
    template = calling_template(
        " to=functions.{{ c.name }}<|channel|>commentary json<|message|>{{ c.arguments | tojson }}"
        "<|call|>"
    )
    prefix = " to=functions.python<|channel|>commentary"
    plain = choose_tool_style(TOOLS, template, None)
    assert plain.call_prefix.startswith(prefix.strip())
    thinking = choose_tool_style(TOOLS, template, None, lambda _: "<|channel|>analysis<|message|>")
    assert thinking.call_prefix.startswith(f"<|end|><|start|>assistant{prefix}")


def test_a_new_reply_begins_as_the_protocol_begins_it() -> None:
    style = choose_tool_style(
        TOOLS, CALLING_TEMPLATES["xml"], None, lambda prompt: prompt[-4:] + "!"
    )
    assert style.output_wrapper("python").after.endswith("assistant\nant\n!")


def test_a_template_that_fails_is_no_reason_to_fail() -> None:
    def render(turns: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> str:
        raise BadModelFile("it fails")

    assert probe_tool_calls(render, "{{ tools }}", TOOLS) is None
