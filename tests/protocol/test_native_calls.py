"""Calls as model families write them, and what is wrong with those that cannot be read."""

import json

import pytest

from reasoner.protocol.native_calls import NativeStyle
from reasoner.protocol.tool_call_formats import CallFormat
from reasoner.protocol.tool_call_styles import OutputWrapper
from reasoner.types.tool_call import Tool

PYTHON = Tool(name="python", description="Runs Python.", parameter="code", fence_language="python")
LOOKUP = Tool(name="look_up", description="Finds a word.", parameter="word", fence_language="word")
HERMES = CallFormat("<tool_call>", "</tool_call>")
CODE = "for n in [1, 2]:\n    print(n < 2, {n: 'n'})"


def style(call_format: CallFormat = HERMES) -> NativeStyle:
    return NativeStyle([PYTHON, LOOKUP], call_format, {"python": OutputWrapper("", "")}, "")


def hermes(call: object) -> str:
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


ARGUMENTS = {"code": CODE}
JSON_CALLS = {
    "arguments": {"name": "python", "arguments": ARGUMENTS},
    "parameters": {"name": "python", "parameters": ARGUMENTS},
    "arguments first": {"arguments": ARGUMENTS, "name": "python"},
    "arguments as text": {"name": "python", "arguments": json.dumps(ARGUMENTS)},
    "arguments as code": {"name": "python", "arguments": CODE},
    "a list": [{"name": "python", "arguments": ARGUMENTS}, {"name": "look_up"}],
    "OpenAI": {"type": "function", "function": {"name": "python", "arguments": ARGUMENTS}},
    "OpenAI with text": {
        "id": "c1",
        "type": "function",
        "function": {"name": "python", "arguments": json.dumps(ARGUMENTS)},
    },
    "OpenAI's message": {
        "tool_calls": [{"function": {"name": "python", "arguments": json.dumps(ARGUMENTS)}}]
    },
    "Cohere": [{"tool_call_id": "0", "tool_name": "python", "parameters": ARGUMENTS}],
    "Apertus": [{"python": ARGUMENTS}],
    "arguments beside the name": {"name": "python", "code": CODE},
    "namespace": {"name": "functions.python", "arguments": ARGUMENTS},
    "capitals": {"name": "Python", "arguments": ARGUMENTS},
    "fenced code": {"name": "python", "arguments": {"code": f"```python\n{CODE}\n```"}},
}


@pytest.mark.parametrize("call", JSON_CALLS.values(), ids=JSON_CALLS)
def test_json_is_read_in_its_variants(call: object) -> None:
    found = style().find_call("I compute.\n" + hermes(call))
    assert found is not None
    assert (found.tool, found.text, found.error) == ("python", CODE, None)


SLIPS = {
    "line breaks": '{"name": "python", "arguments": {"code": "a = 1\nprint(a)"}}',
    "no last brace": '{"name": "python", "arguments": {"code": "a = 1\\nprint(a)"}',
    "no last braces": '[{"name": "python", "arguments": {"code": "a = 1\\nprint(a)"',
    "doubled braces": '{{"name": "python", "arguments": {"code": "a = 1\\nprint(a)"}}}',
    "a fence": '```json\n{"name": "python", "arguments": {"code": "a = 1\\nprint(a)"}}\n```',
    "a bad escape": r'{"name": "python", "arguments": {"code": "a = 1\nprint(a)#\d\'"}}',
    "more after it": '{"name": "python", "arguments": {"code": "a = 1\\nprint(a)"}} and so on',
}


@pytest.mark.parametrize("body", SLIPS.values(), ids=SLIPS)
def test_usual_slips_in_json_are_mended(body: str) -> None:
    call = style().find_call(f"<tool_call>{body}</tool_call>")
    assert call is not None
    assert call.error is None
    assert call.text.startswith("a = 1\nprint(a)")


MISTRAL = CallFormat("[TOOL_CALLS]")
FAMILIES = {
    "Qwen3-Coder": (
        HERMES,
        f"<tool_call>\n<function=python>\n<parameter=code>\n{CODE}\n</parameter>\n</function>\n"
        "</tool_call>",
    ),
    "Qwen3-Coder without its outer mark": (
        HERMES,
        f"<function=python>\n<parameter=code>\n{CODE}\n</parameter>\n</function>",
    ),
    "Seed-OSS": (
        CallFormat("<seed:tool_call>", "</seed:tool_call>"),
        f"<seed:tool_call><function=python><parameter=code>{CODE}</parameter></function>"
        "</seed:tool_call>",
    ),
    "MiniMax": (
        CallFormat("<minimax:tool_call>", "</minimax:tool_call>"),
        f'<minimax:tool_call>\n<invoke name="python">\n<parameter name="code">{CODE}</parameter>\n'
        "</invoke>\n</minimax:tool_call>",
    ),
    "DeepSeek V3.2": (
        CallFormat("<｜DSML｜function_calls>", "</｜DSML｜function_calls>"),
        '<｜DSML｜function_calls><｜DSML｜invoke name="python"><｜DSML｜parameter name="code" '
        f'string="true">{CODE}</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>',
    ),
    "Functionary": (
        CallFormat("<function=", "</function>"),
        f"<function=python>{json.dumps(ARGUMENTS)}</function>",
    ),
    "GLM": (
        HERMES,
        f"<tool_call>python\n<arg_key>code</arg_key>\n<arg_value>{CODE}</arg_value>\n</tool_call>",
    ),
    "GLM without line breaks": (
        HERMES,
        f"<tool_call>python<arg_key>code</arg_key><arg_value>{CODE}</arg_value></tool_call>",
    ),
    "Mistral, list": (MISTRAL, f"[TOOL_CALLS] [{json.dumps(JSON_CALLS['arguments'])}]"),
    "Mistral, name": (MISTRAL, f"[TOOL_CALLS]python[ARGS]{json.dumps(ARGUMENTS)}"),
    "Mistral, name and number": (
        MISTRAL,
        f"[TOOL_CALLS]python[CALL_ID]a1b2c3d4e[ARGS]{json.dumps(ARGUMENTS)}",
    ),
    "Llama 3": (CallFormat(), json.dumps(JSON_CALLS["parameters"])),
    "Llama 3 with its mark": (
        CallFormat(),
        f"<|python_tag|>{json.dumps(JSON_CALLS['parameters'])}",
    ),
    "Llama 3, several lines": (CallFormat(), json.dumps(JSON_CALLS["parameters"], indent=2)),
    "Llama 4": (
        CallFormat("<|python_start|>", "<|python_end|>"),
        f"<|python_start|>[python(code={CODE!r})]<|python_end|>",
    ),
    "LFM2": (
        CallFormat("<|tool_call_start|>", "<|tool_call_end|>"),
        f"<|tool_call_start|>[python(code={CODE!r})]<|tool_call_end|>",
    ),
    "DeepSeek V3": (
        CallFormat("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>python\n```json\n"
        f"{json.dumps(ARGUMENTS)}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    "DeepSeek V3.1": (
        CallFormat("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>python<｜tool▁sep｜>{json.dumps(ARGUMENTS)}"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    "Kimi-K2": (
        CallFormat("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.python:0"
        f"<|tool_call_argument_begin|>{json.dumps(ARGUMENTS)}<|tool_call_end|>"
        "<|tool_calls_section_end|>",
    ),
    "Granite 3": (
        CallFormat("<|tool_call|>"),
        f"<|tool_call|>[{json.dumps(JSON_CALLS['arguments'])}]",
    ),
    "Gemma 4": (
        CallFormat("<|tool_call>", "<tool_call|>"),
        f'<|tool_call>call:python{{code:<|"|>{CODE}<|"|>}}<tool_call|>',
    ),
    "FunctionGemma": (
        CallFormat("<start_function_call>", "<end_function_call>"),
        f"<start_function_call>call:python{{code:<escape>{CODE}<escape>}}<end_function_call>",
    ),
    "harmony": (
        CallFormat("to=functions.", "<|call|>"),
        "<|channel|>commentary to=functions.python <|constrain|>json<|message|>"
        f"{json.dumps(ARGUMENTS)}<|call|>",
    ),
    "harmony, recipient first": (
        CallFormat("to=functions.", "<|call|>"),
        f"<|start|>assistant to=functions.python<|channel|>commentary json<|message|>"
        f"{json.dumps(ARGUMENTS)}<|call|>",
    ),
    "harmony, built-in Python": (
        CallFormat("to=functions.", "<|call|>"),
        f"<|channel|>analysis to=python code<|message|>{CODE}<|call|>",
    ),
    "a family of its own": (
        CallFormat("<run>", "</run>", pattern=r"(?P<name>\w+)\s*:=\s*(?P<value>.*)"),
        f"<run>\npython := {CODE}\n</run>",
    ),
}


@pytest.mark.parametrize(("call_format", "text"), FAMILIES.values(), ids=FAMILIES)
def test_each_family_is_read_at_the_end_of_its_call_and_not_before(
    call_format: CallFormat, text: str
) -> None:
    reader = style(call_format)
    found = reader.find_call(text)
    assert found is not None
    assert (found.tool, found.text, found.error) == ("python", CODE, None)
    assert all(reader.find_call(text[:size]) is None for size in range(len(text)))
    for size in range(text.index(CODE.split("\n")[0]), len(text) - 1):
        assert reader.is_open(text[:size])
    assert not reader.is_open("An answer without any call.")


@pytest.mark.parametrize("call_format", [HERMES, MISTRAL, CallFormat()])
def test_a_call_in_another_familys_form_is_read_as_well(call_format: CallFormat) -> None:
    for _, text in list(FAMILIES.values())[:9]:
        found = style(call_format).find_call(text)
        assert found is not None
        assert found.text == CODE


def test_a_call_that_the_end_of_the_turn_cut_off_names_the_mark_it_lacks() -> None:
    text = hermes(JSON_CALLS["arguments"]).removesuffix("</tool_call>")
    assert style().find_call(text) is None
    found = style().find_call(text, turn_ended=True)
    assert found is not None
    assert (found.text, found.missing_end) == (CODE, "</tool_call>")


def test_code_without_json_after_llamas_mark_is_a_call_when_the_turn_ends() -> None:
    text = "<|python_tag|>x = {1: 2}"
    assert style(CallFormat()).find_call(text) is None
    found = style(CallFormat()).find_call(text, turn_ended=True)
    assert found is not None
    assert (found.tool, found.text) == ("python", "x = {1: 2}")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (hermes({"name": "ruby", "arguments": {"code": "1"}}), "no function 'ruby'"),
        (hermes({"name": "python", "arguments": {"program": "1"}}), "'code' is missing"),
        (hermes({"name": "python"}), "'code' is missing"),
        (hermes({"name": "python", "arguments": {"code": 7}}), "'code' is missing"),
        (hermes([]), "could not be read"),
        ("<tool_call>print(3)</tool_call>", "could not be read"),
        ("<tool_call>" + "[" * 5000 + "</tool_call>", "could not be read"),
        ('<tool_call>{"name": ' + "9" * 9000 + "}</tool_call>", "could not be read"),
        ('<tool_call>{"function": ' * 9 + "1" + "}</tool_call>", "could not be read"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(text: str, error: str) -> None:
    call = style().find_call(text)
    assert call is not None
    assert call.tool == ""
    assert error in (call.error or "")


@pytest.mark.parametrize(
    "text",
    [
        "</tool_call>",
        "The answer is 5.",
        "Close it with <tool_call></tool_call>.",
        "A call begins with <tool_call>, they say.",
        '{"name": "Ada", "arguments": {"code": "1"}}',
        'The object is\n{"a": {"b": 1}}',
        "[1, 2]",
        "x" * 50_000 + hermes(JSON_CALLS["arguments"]),
    ],
)
@pytest.mark.parametrize("call_format", [HERMES, CallFormat()])
def test_other_text_is_no_call(call_format: CallFormat, text: str) -> None:
    assert style(call_format).find_call(text, turn_ended=True) is None


def test_a_mark_that_is_spoken_of_does_not_hide_the_call_after_it() -> None:
    text = "I write <tool_call>, then\n" + hermes(JSON_CALLS["arguments"])
    found = style().find_call(text)
    assert found is not None
    assert found.text == CODE
    assert not style().is_open("I write <tool_call>, then")


HOSTILE = {
    "<tool_call>" * 3000: "could not be read",
    '<tool_call>"' + '\\"' * 18_000: None,
    "<function=python>" + "<parameter=code>" * 2000: None,
    "<tool_call>" + "<arg_key>code</arg_key>" * 1500: "could not be read",
    "{\n" * 15_000: None,
    '[TOOL_CALLS]python[ARGS]{"code": ' + "[" * 30_000: "could not be read",
    "<|tool_call>call:python{code:<a>" + "<a" * 10_000: "could not be read",
    "<tool_call>[python(code='" + "\\'" * 15_000: "could not be read",
}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_unreadable_or_no_call(text: str) -> None:
    call = style().find_call(text, turn_ended=True)
    assert (call.error if call else None) == (HOSTILE[text] and f"the call {HOSTILE[text]}")


def test_a_broken_call_without_marks_is_one_but_json_that_was_asked_for_is_not() -> None:
    reader = style(CallFormat())
    broken = reader.find_call('{"name": "python", "parameters": {"code": 1 +', turn_ended=True)
    assert broken is not None
    assert broken.error == "the call could not be read"
    assert reader.find_call('{"name": "Ada", "age": 36}', turn_ended=True) is None
