"""Finds out how a chat template writes tool calls and their outputs, by rendering a conversation.

The call of the conversation has an argument that occurs nowhere else, so that what stands around it
shows the marks of the model's family. A format counts only if the call is read back from it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import tool_variables
from reasoner.protocol.native_calls import NativeStyle, json_end
from reasoner.protocol.tool_call_formats import KNOWN_FORMATS, CallFormat, find_known_format
from reasoner.protocol.tool_call_styles import OutputWrapper, build_function_schemas
from reasoner.types.tool_call import Tool

__all__ = ["RenderTurns", "TemplateCalls", "probe_tool_calls"]

RenderTurns = Callable[[Sequence[Mapping[str, Any]], Mapping[str, Any]], str]
"""Renders turns with a template's variables; raises BadModelFile."""

QUESTION, REPLY = "what the user asks", "what the assistant says"
ARGUMENT = "what the function is given"
OUTPUT = 'what the function\nprints, "quoted"'
MARK = re.compile(r"<[^<>\n]{1,60}>|\[/?[A-Z_]{2,30}\]")
THOUGHT = re.compile(r"think|thought|reason|channel|message|constrain", re.IGNORECASE)
CLOSING = re.compile(r"[<\[]/|end|suffix|\|>", re.IGNORECASE)
MAX_WRAPPER_CHARS = 4000
MAX_START_CHARS = 60
MAX_REPLY_CHARS = 8000


@dataclass(frozen=True)
class TemplateCalls:
    """How a chat template writes calls: the format, how a call of the first tool begins, and what
    surrounds the output of each tool, by its name."""

    call_format: CallFormat
    call_prefix: str
    wrappers: Mapping[str, OutputWrapper]


@dataclass(frozen=True)
class _Shape:
    """One of the forms in which templates take a call."""

    content: str | None
    as_text: bool
    numbered: bool

    def turns(self, tool: Tool) -> list[dict[str, Any]]:
        """The question, a call of the tool, and its output."""
        arguments = {tool.parameter: ARGUMENT}
        number = f"functions.{tool.name}:0" if self.numbered else "call00001"
        function = {
            "name": tool.name,
            "arguments": json.dumps(arguments) if self.as_text else arguments,
        }
        call = {"id": number, "type": "function", "function": function}
        return [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": self.content, "tool_calls": [call]},
            _output_turn(tool, number),
        ]


SHAPES = [_Shape(*values) for values in product(("", None), (False, True), (False, True))]


def probe_tool_calls(
    render: RenderTurns, template: str, tools: Sequence[Tool]
) -> TemplateCalls | None:
    """Return how the template, whose source is `template`, writes calls of the tools. None when it
    does not offer tools, has no turn for their outputs, or writes calls in no known way."""
    values = tool_variables(build_function_schemas(tools))
    question = [{"role": "user", "content": QUESTION}]
    plain, offered = _rendered(render, question, {}), _rendered(render, question, values)
    if offered == plain or tools[0].name not in offered:
        return None
    turn_marks = _turn_marks(render, plain)
    for shape in SHAPES:
        texts = [_rendered(render, shape.turns(tool), values) for tool in tools]
        calls = _calls_of(tools, [_reply_after(offered, text) for text in texts], turn_marks)
        if calls is not None:
            return calls
    return _described_calls(render, values, f"{offered}\n{template}", tools)


def _calls_of(
    tools: Sequence[Tool], replies: Sequence[str], turn_marks: set[str]
) -> TemplateCalls | None:
    """Return how the replies, each with a call of a tool and its output, write these."""
    if max(map(len, replies)) > MAX_REPLY_CHARS:
        return None
    for call_format in _formats(replies[0], tools[0], turn_marks):
        found = [
            _split_reply(reply, tool, call_format)
            for reply, tool in zip(replies, tools, strict=True)
        ]
        splits = [split for split in found if split is not None]
        if len(splits) == len(tools):
            wrappers = {tool.name: split[1] for tool, split in zip(tools, splits, strict=True)}
            return TemplateCalls(call_format, splits[0][0], wrappers)
    return None


def _described_calls(
    render: RenderTurns, values: Mapping[str, Any], text: str, tools: Sequence[Tool]
) -> TemplateCalls | None:
    """Return the known format whose marks stand in what the template tells the model, for a
    template that leaves calls out of the history."""
    call_format = find_known_format(text)
    wrappers = {}
    for tool in tools:
        turns = [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": REPLY},
            _output_turn(tool, "call00001"),
        ]
        reply, _, rest = _rendered(render, turns, values).rpartition(REPLY)
        wrapper = _wrapper(rest) if reply else None
        if call_format is None or wrapper is None:
            return None
        wrappers[tool.name] = wrapper
    return None if call_format is None else TemplateCalls(call_format, call_format.start, wrappers)


def _formats(reply: str, tool: Tool, turn_marks: set[str]) -> Iterator[CallFormat]:
    """Yield the formats in which the reply may have its call, the likeliest first."""
    before, argument, after = reply.partition(ARGUMENT)
    if not argument:
        return
    yield from (f for f in KNOWN_FORMATS if f.start in before and f.end and f.end in after)
    start = _start(before, tool.name, turn_marks)
    yield from (f for f in KNOWN_FORMATS if f.start in before and not f.end and f.code)
    for end in dict.fromkeys([*_ends(after, turn_marks), ""]):
        call_format = CallFormat(start, end)
        if start or not end:
            yield call_format
        body = reply.partition(start)[2].partition(end)[0].strip() if start and end else ""
        if tool.name in body.partition(ARGUMENT)[0]:
            yield CallFormat(start, end, pattern=_pattern(body, tool.name))


def _start(before: str, name: str, turn_marks: set[str]) -> str:
    """Return with what a call begins: the first mark that is not one of turns or thoughts, or the
    text before a name or JSON; empty where JSON comes first."""
    for match in MARK.finditer(before):
        mark = match[0]
        if mark not in turn_marks and not THOUGHT.search(mark):
            return re.split(rf"(?<=[=\"']){re.escape(name)}", mark)[0]
    words = re.search(r"[^<>\[\]{}\s][^<>\[\]{}\n]*(?=(?:\s|<[^<>\n]{1,60}>)*[\[{])", before)
    if words is None or name in words[0]:
        return ""
    begins = re.search(rf"[\[{{]|{re.escape(name)}", before[words.start() :])
    text = before[words.start() :][: begins.start()] if begins else ""
    return text.strip() if len(text) <= MAX_START_CHARS else ""


def _ends(after: str, turn_marks: set[str]) -> list[str]:
    """Return the marks that may close a call, the likeliest first: the last one before the turn
    ends, then those that look like closing marks."""
    marks: list[str] = []
    for match in MARK.finditer(after.partition(OUTPUT)[0]):
        if match[0] in turn_marks:
            return [*marks[::-1]]
        marks.append(match[0])
    return [mark for mark in marks if CLOSING.search(mark)]


def _split_reply(
    reply: str, tool: Tool, call_format: CallFormat
) -> tuple[str, OutputWrapper] | None:
    """Return how the call in the reply begins and what surrounds the output, if the call is read
    back in this format."""
    start = reply.find(call_format.start) if call_format.start else _first_bracket(reply)
    argument = reply.find(ARGUMENT, max(start, 0))
    if start < 0 or argument < 0:
        return None
    end = _call_end(reply, start + len(call_format.start), argument, call_format.end)
    wrapper = _wrapper(reply[end:]) if end >= 0 else None
    style = NativeStyle([tool], call_format, {}, "")
    call = style.find_call(reply[start : max(end, 0)], turn_ended=not call_format.end)
    if wrapper is None or call is None or call.error or call.text.strip() != ARGUMENT:
        return None
    return reply[start:argument], wrapper


def _call_end(reply: str, body: int, argument: int, end: str) -> int:
    """Return where the call ends whose text begins at `body`, or -1."""
    if end:
        found = reply.find(end, argument)
        return found + len(end) if found >= 0 else -1
    length = json_end(reply[body:])
    return body + length if length is not None and body + length > argument else -1


def _wrapper(text: str) -> OutputWrapper | None:
    """Return what surrounds the output in the text after a call, or None where it is not there."""
    for output, as_json in ((OUTPUT, False), (json.dumps(OUTPUT)[1:-1], True)):
        before, found, after = text.partition(output)
        if found and len(before) + len(after) <= MAX_WRAPPER_CHARS:
            return OutputWrapper(before, after, as_json)
    return None


def _reply_after(prompt: str, text: str) -> str:
    """Return what the conversation has after the prompt; a mark that begins as the prompt's end
    does is kept whole."""
    pairs = zip(prompt, text, strict=False)
    shorter = min(len(prompt), len(text))
    common = next((i for i, (one, other) in enumerate(pairs) if one != other), shorter)
    opening = max(text.rfind("<", 0, common), text.rfind("[", 0, common))
    if opening >= 0 and not re.search(r"[>\]]", text[opening:common]):
        common = opening
    return text[common:]


def _turn_marks(render: RenderTurns, plain: str) -> set[str]:
    """Return the marks that a conversation without tools has."""
    turns = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": REPLY},
        {"role": "user", "content": QUESTION},
    ]
    return {match[0] for match in MARK.finditer(plain + _rendered(render, turns, {}))}


def _rendered(
    render: RenderTurns, turns: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
) -> str:
    """Return the rendered turns, '' where the template fails."""
    try:
        return render(turns, values)
    except BadModelFile:
        return ""


def _first_bracket(text: str) -> int:
    match = re.search(r"[\[{]", text)
    return match.start() if match else -1


def _pattern(body: str, name: str) -> str:
    """Return a regular expression for calls that are written as `body` is, spaces aside."""
    head, _, rest = body.partition(name)
    middle, _, tail = rest.partition(ARGUMENT)
    texts = [re.sub(r"(?:\\?\s)+", r"\\s*", re.escape(text)) for text in (head, middle, tail)]
    return r"{}(?P<name>[\w.:-]{{1,64}}){}(?P<value>.*){}".format(*texts)


def _output_turn(tool: Tool, number: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": number, "name": tool.name, "content": OUTPUT}
