"""Models that call tools in the form of their family, from the question to the answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import reasoner
from tests.policy.tool_templates import CALLING_TEMPLATES, DESCRIBED_TEMPLATES
from tests.scripted_gguf import split_pieces, write_scripted_gguf
from tests.tiny_gguf import CHATML

ANSWER = "So it is \\boxed{54}."
XML_MARKS = ("<tool_call>", "</tool_call>")
MISTRAL_MARKS = ("[TOOL_CALLS]", "[ARGS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]")
CODE = '{"code": "x = 6\\nprint(x * 9)"}'
DESCRIBED = (
    f"{{% if tools %}}{{{{ tools | tojson }}}}\n{DESCRIBED_TEMPLATES['xml']}\n{{% endif %}}{CHATML}"
)


def solve(
    path: Path,
    template: str,
    call: Sequence[str],
    after: Sequence[str],
    tools: str = "auto",
    **tokens: Any,
) -> reasoner.Result:
    """Ask a model that writes `call` and, once its last piece stands there, `after`."""
    model = write_scripted_gguf(
        path / "scripted.gguf",
        call,
        [*after, "<|im_end|>"],
        switch=[call[-1]],
        chat_template=template,
        **tokens,
    )
    return reasoner.solve(
        "How many are 6 boxes of 9?",
        model=str(model),
        tools=tools,
        temperature=0.0,
        cache=False,
        strategy="linear",
    )


CALLS = {
    "hermes, arguments as text": (
        "hermes",
        ["Let me see.\n", "<tool_call>", '\n{"name": "python", "arguments": "{\\"code\\": ',
         '\\"print(6 * 9)\\"}"}\n', "</tool_call>"],
        {"control": XML_MARKS},
    ),
    "hermes, a list in OpenAI's form": (
        "hermes",
        ["<tool_call>", '[{"type": "function", "function": ',
         f'{{"name": "python", "arguments": {CODE}}}}}]', "</tool_call>"],
        {"user_defined": XML_MARKS},
    ),
    "xml with a blank line in the code": (
        "xml",
        ["<tool_call>\n<function=python>\n", "<parameter=code>\nx = 6\n\n", "print(x * 9)\n",
         "</parameter>\n</function>\n</tool_call>"],
        {},
    ),
    "xml, described only": (
        DESCRIBED,
        ["Now:\n", "<tool_call>", "\n<function=python>\n<parameter=code>\n", "x = 6\n\n\n",
         "print(x * 9)\n", "</parameter>\n</function>\n</tool_call>"],
        {"user_defined": XML_MARKS[:1]},
    ),
    "xml without its outer mark": (
        "xml",
        ["<function=python>\n<parameter=code>", "print(54)", "</parameter>\n</function>"],
        {},
    ),
    "glm": (
        "glm",
        ["<tool_call>", "python<arg_key>code</arg_key>", "<arg_value>x = 6\nprint(x * 9)",
         "</arg_value>", "</tool_call>"],
        {"control": XML_MARKS},
    ),
    "mistral": ("mistral", ["[TOOL_CALLS]", "python", "[ARGS]", CODE], {"control": MISTRAL_MARKS}),
    "mistral, older": (
        "mistral",
        ["[TOOL_CALLS]", f' [{{"name": "python", "arguments": {CODE}}}', ', {"name": "none"}]'],
        {"user_defined": MISTRAL_MARKS},
    ),
    "llama": ("llama", ['{"name": "python", ', f'"parameters": {CODE}}}'], {}),
    "llama with its mark": (
        "llama",
        ["<|python_tag|>", '{"type": "function", "name": "python", ', f'"parameters": {CODE}}}'],
        {"control": ("<|python_tag|>",)},
    ),
    "a family of its own": ("unheard of", ["Let me.\n<do>python", " := print(54)", "</do>"], {}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("template", "call", "tokens"), CALLS.values(), ids=CALLS)
def test_a_call_is_run_in_the_form_of_the_family(
    tmp_path: Path, template: str, call: list[str], tokens: dict[str, Any]
) -> None:
    template = CALLING_TEMPLATES.get(template, template)
    result = solve(tmp_path, template, call, split_pieces(ANSWER), **tokens)
    record = result.reasoning[0].call
    assert record is not None
    assert (record.tool, record.output, record.ok) == ("python", "54", True)
    assert (result.answer, result.final) == (ANSWER, "54")
    assert len(result.reasoning) == 1


BROKEN = {
    "json": ("hermes", ["<tool_call>", '{"name": python, print(54)}', "</tool_call>"]),
    "another function": (
        "xml",
        [
            "<tool_call>",
            "<function=shell><parameter=code>ls</parameter></function>",
            "</tool_call>",
        ],
    ),
    "no argument": ("glm", ["<tool_call>", "python ", "<arg_key>code</arg_key>", "</tool_call>"]),
}


@pytest.mark.parametrize(("template", "call"), BROKEN.values(), ids=BROKEN)
def test_after_a_call_that_cannot_be_read_the_model_may_write_a_block(
    tmp_path: Path, template: str, call: list[str]
) -> None:
    block = ["I write a block.\n", "```python\n", "print(6 * 9)\n", "```"]
    result = solve(tmp_path, CALLING_TEMPLATES[template], call, block, control=XML_MARKS)
    first, second = (step.call for step in result.reasoning[:2])
    assert first is not None
    assert second is not None
    assert not first.ok
    assert "Write it as a ```python block" in first.output
    assert "JSON" not in first.output
    assert (second.output, second.ok) == ("54", True)


def test_a_model_that_never_writes_a_readable_call_is_told_once(tmp_path: Path) -> None:
    call = ["<tool_call>", "{what?} ", "</tool_call>"]
    again = ["<tool_call>", "{and?} ", "</tool_call>", "\n\nIt is ", "\\boxed{54}."]
    result = solve(tmp_path, CALLING_TEMPLATES["hermes"], call, again, user_defined=XML_MARKS)
    assert sum(step.call is not None for step in result.reasoning) == 1
    assert result.final == "54"


def test_a_template_in_no_known_form_gets_the_fenced_blocks(tmp_path: Path) -> None:
    template = "{% if tools %}{{ tools | tojson }}{% endif %}" + CHATML
    call = ["```python\n", "print(6 * 9)\n", "```"]
    result = solve(tmp_path, template, call, split_pieces(ANSWER))
    record = result.reasoning[0].call
    assert record is not None
    assert record.output == "54"
    assert result.final == "54"


def test_a_model_that_is_asked_for_blocks_may_still_call_in_its_own_form(tmp_path: Path) -> None:
    """The template tells of a form without marks, which nothing shows to be one."""
    template = "{% if tools %}{{ tools | tojson }} Write JSON.{% endif %}" + CHATML
    call = ['{"name": "python", ', f'"parameters": {CODE}}}']
    result = solve(tmp_path, template, call, split_pieces(ANSWER))
    record = result.reasoning[0].call
    assert record is not None
    assert record.output == "54"
    assert result.final == "54"


def test_a_forced_call_begins_as_the_template_begins_calls(tmp_path: Path) -> None:
    call = ["print(6 * 9)", '"}}\n</tool_call>']
    result = solve(tmp_path, CALLING_TEMPLATES["hermes"], call, split_pieces(ANSWER), tools="force")
    step = result.reasoning[0]
    assert step.text.startswith('<tool_call>\n{"name": "python", "arguments": {"code": "print(6')
    assert step.call is not None
    assert step.call.output == "54"
    assert result.final == "54"


@pytest.mark.parametrize("kind", ["control", "user_defined"])
def test_after_a_thought_a_call_and_its_output_the_model_thinks_anew(
    tmp_path: Path, kind: str
) -> None:
    """As Qwen3 does: thought, call, output, thought, answer; no mark stands in any of them."""
    marks = ("<think>", "</think>", *XML_MARKS)
    call = ["I need the product.\n", "</think>", "\n\nI compute it.\n", "<tool_call>",
            f'\n{{"name": "python", "arguments": {CODE}}}\n', "</tool_call>"]  # fmt: skip
    result = solve(
        tmp_path,
        CALLING_TEMPLATES["hermes"],
        call,
        ["That is 54.\n", "</think>", "\n\nIt is ", "\\boxed{54}."],
        **dict[str, Any]({kind: marks}),
    )
    first, second, third = result.reasoning
    assert first.text == "I need the product."
    assert second.call is not None
    assert second.call.output == "54"
    assert third.text == "That is 54."
    assert result.answer == "It is \\boxed{54}."


HARMONY_MARKS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>",
                 "<|return|>", "<|call|>")  # fmt: skip
HARMONY = (
    "{% if tools %}<|start|>developer<|message|>namespace functions {{ tools | tojson }}<|end|>"
    "{% endif %}{% for m in messages %}{% if m.role == 'tool' %}"
    "<|start|>functions.{{ m.name }} to=assistant<|channel|>commentary<|message|>"
    "{{ m.content | tojson }}<|end|>{% elif m.tool_calls %}"
    "<|start|>assistant to=functions.{{ m.tool_calls[0].function.name }}<|channel|>commentary json"
    "<|message|>{{ m.tool_calls[0].function.arguments | tojson }}<|call|>{% else %}"
    "<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}<|message|>"
    "{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)


@pytest.mark.parametrize(
    "header", [" to=functions.python <|constrain|>json", " to=functions.python"]
)
def test_a_call_in_harmonys_commentary_channel(tmp_path: Path, header: str) -> None:
    """The call ends in a token that ends the reply, and is put back before the output."""
    model = write_scripted_gguf(
        tmp_path / "harmony.gguf",
        ["I compute 6 times 9.", "<|end|>", "<|start|>", "assistant", "<|channel|>", "commentary",
         f"{header}<|message|>", CODE, "<|call|>"],
        ["That is 54.", "<|end|>", "<|start|>", "assistant", "<|channel|>", "final<|message|>",
         "It is ", "\\boxed{54}.", "<|return|>"],
        switch=["<|call|>"],
        control=HARMONY_MARKS,
        chat_template=HARMONY,
        eos="<|return|>",
    )  # fmt: skip
    result = reasoner.solve(
        "How many?", model=str(model), tools="auto", temperature=0.0, cache=False, strategy="linear"
    )
    record = next(step.call for step in result.reasoning if step.call)
    assert (record.tool, record.output) == ("python", "54")
    assert result.answer == "It is \\boxed{54}."
    assert not any(mark in step.text for step in result.reasoning for mark in HARMONY_MARKS)
