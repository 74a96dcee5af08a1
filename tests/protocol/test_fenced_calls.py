"""Calls as fenced code blocks."""

import pytest

from reasoner.protocol.fallback_calls import FallbackStyle
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.native_calls import NativeStyle
from reasoner.protocol.tool_call_formats import CallFormat
from reasoner.types.tool_call import Tool

PYTHON = Tool(name="python", description="Runs Python.", parameter="code", fence_language="python")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("We compute:\n```python\nprint(3)\n```", "print(3)\n"),
        ("```python\nprint(3)\n```\n", "print(3)\n"),
        ("```text\nabc\n```\nthen\n```Python\nx = 1\n```", "x = 1\n"),
        ("```python\nprint('''```''')", None),
        ("```python\nprint(3)\n", None),
        ("```python", None),
        ("```python\n\n```", None),
        ("```bash\nrm -rf /\n```", None),
        ("no call at all", None),
    ],
)
def test_a_fenced_call_is_complete_when_its_fence_closes(text: str, code: str | None) -> None:
    call = FencedStyle([PYTHON]).find_call(text)
    assert (call.text if call else None) == code


def test_an_open_block_is_a_call_only_when_the_model_has_ended_its_turn() -> None:
    style = FencedStyle([PYTHON])
    assert style.find_call("```python\n1 + 1", turn_ended=True) is not None
    assert style.find_call("```python\n1\n```\nIt is 1.", turn_ended=True) is None


def test_after_an_unreadable_call_both_ways_of_calling_are_open() -> None:
    own = NativeStyle([PYTHON], CallFormat("<tool_call>", "</tool_call>"), {}, "")
    style = FallbackStyle(own, FencedStyle([PYTHON]))
    fenced = style.find_call("So:\n```python\nprint(5)\n```")
    assert fenced is not None
    assert (fenced.text, fenced.fenced) == ("print(5)\n", True)
    native = style.find_call(
        '<tool_call>{"name": "python", "arguments": {"code": "5"}}</tool_call>'
    )
    assert native is not None
    assert (native.text, native.fenced) == ("5", False)
    assert style.find_call("<tool_call>{what?}</tool_call>") is None
    assert style.find_call("<tool_call>{what?}</tool_call>", turn_ended=True) is None
