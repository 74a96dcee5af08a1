"""Tool calls in the format that a model was trained on."""

import re
from collections.abc import Mapping, Sequence

from reasoner.protocol.bounded_json import decode_json
from reasoner.protocol.tool_call_formats import KNOWN_FORMATS, CallFormat
from reasoner.protocol.tool_call_readers import (
    RawCall,
    call_from_json,
    decode_text,
    known_name,
    read_call,
)
from reasoner.protocol.tool_call_styles import (
    MAX_CALL_CHARS,
    FunctionSchema,
    OutputWrapper,
    ToolCallRequest,
    build_function_schemas,
)
from reasoner.types.problem import Message
from reasoner.types.tool_call import Tool

__all__ = ["NativeStyle", "json_end"]

MAX_STARTS = 8
"""How many places of a text are tried as the beginning of a call."""
JSON_LINE = re.compile(r"(?m)^[ \t]{0,12}(?=[\[{])")
JSON_CALL = re.compile(r'\s*\[?\s*\{\s*"')
ARGUMENTS_KEY = re.compile(r'"(?:arguments|parameters)"')
CALL_BEGINNING = re.compile(r"\s*(?:\Z|[\[{<]|```|call:|function|(?P<word>[\w.:-]{1,64}))")
FENCED_CODE = re.compile(r"\A\s*```\w{0,12}[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
UNREADABLE = "the call could not be read"


class NativeStyle:
    """For models that were trained on tool calls: the chat template describes the tools.

    Calls in `call_format` are found, and calls in the other known formats, because models mix
    them. `wrappers` are the chat template's texts around a tool's output, by the tool's name.
    `call_prefix` is how the template begins a call.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        call_format: CallFormat,
        wrappers: Mapping[str, OutputWrapper],
        call_prefix: str,
    ) -> None:
        self.call_prefix = call_prefix
        self._tools = {tool.name: tool for tool in tools}
        self._wrappers = wrappers
        self._is_bare = not call_format.start
        own = () if self._is_bare else (call_format,)
        self._formats = (*own, *KNOWN_FORMATS)

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        return list(messages)

    def function_schemas(self) -> list[FunctionSchema]:
        return build_function_schemas(list(self._tools.values()))

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        if len(text) > MAX_CALL_CHARS:
            return None
        call_format = self._format_in(text)
        if call_format is None:
            return self._find_bare_call(text, turn_ended)
        return self._find_marked_call(text, call_format, turn_ended)

    def is_open(self, text: str) -> bool:
        if len(text) > MAX_CALL_CHARS:
            return False
        call_format = self._format_in(text)
        if call_format is None:
            return self._is_bare and JSON_CALL.match(text) is not None
        body = text.rpartition(call_format.start)[2]
        closed = bool(call_format.end) and call_format.end in body
        return not closed and self._begins_like_call(body)

    def output_wrapper(self, tool: str) -> OutputWrapper:
        return self._wrappers.get(tool) or next(iter(self._wrappers.values()))

    def _format_in(self, text: str) -> CallFormat | None:
        return next((f for f in self._formats if f.start in text), None)

    def _find_marked_call(
        self, text: str, call_format: CallFormat, turn_ended: bool
    ) -> ToolCallRequest | None:
        """Return the first readable call between marks, else the last unreadable one, if any is
        complete."""
        request = None
        rest = text
        for _ in range(MAX_STARTS):
            _, start, rest = rest.partition(call_format.start)
            body, closed, _ = rest.partition(call_format.end) if call_format.end else (rest, "", "")
            if not start or not (closed or turn_ended or _ends_in_json(call_format, body)):
                break
            if not body.strip():
                continue
            request = self._request(self._read(body, call_format), body, call_format, closed)
            if request.error is None:
                break
            if not closed and not self._begins_like_call(body):
                request = None  # the mark is only spoken of
        return request

    def _begins_like_call(self, body: str) -> bool:
        """Whether a call may begin with the text after its mark."""
        match = CALL_BEGINNING.match(body)
        word = match["word"] if match else None
        return match is not None and (word is None or known_name([word], self._tools) is not None)

    def _read(self, body: str, call_format: CallFormat) -> RawCall | None:
        call = read_call(body, self._tools)
        if call is None and not call_format.start_is_mark:
            call = read_call(call_format.start + body, self._tools)
        if call is None and call_format.pattern is not None:
            match = re.fullmatch(call_format.pattern, body.strip(), re.DOTALL)
            call = RawCall(match["name"], match["value"]) if match else None
        if call is None and call_format.code:
            call = self._read_code(body)
        return call

    def _read_code(self, body: str) -> RawCall:
        """Read code without arguments: Llama's after `<|python_tag|>`, or harmony's after a name
        and `<|message|>`."""
        head, message, code = body.partition("<|message|>")
        first = next(iter(self._tools))
        if not message:
            return RawCall(first, decode_text(body.strip()))
        return RawCall(known_name(head.split(), self._tools) or head.split()[0], code)

    def _find_bare_call(self, text: str, turn_ended: bool) -> ToolCallRequest | None:
        """Return the call in a JSON value that begins a line and names a tool."""
        if not (turn_ended or text.rstrip().endswith(("}", "]"))):
            return None
        starts = list(JSON_LINE.finditer(text))[:MAX_STARTS]
        for body in (text[start.end() :] for start in starts):
            value = decode_json(body)
            call = call_from_json(value[0], self._tools) if value else None
            if call and known_name([call.name], self._tools) and call.arguments:
                return self._request(call, body, CallFormat(), "")
        if not (self._is_bare and turn_ended and JSON_CALL.match(text)) or decode_json(
            text.strip()
        ):
            return None
        call = read_call(text, self._tools)
        return self._request(call, text, CallFormat(), "") if ARGUMENTS_KEY.search(text) else None

    def _request(
        self, call: RawCall | None, body: str, call_format: CallFormat, closed: str
    ) -> ToolCallRequest:
        """Return the request that a call makes, or one that names what is wrong with it."""
        missing_end = "" if closed else call_format.end
        if call is None:
            return ToolCallRequest("", body, UNREADABLE, missing_end=missing_end)
        name = known_name([call.name], self._tools)
        if name is None:
            error = f"there is no function '{call.name[:60]}', there is {', '.join(self._tools)}"
            return ToolCallRequest("", body, error, missing_end=missing_end)
        parameter = self._tools[name].parameter
        arguments = call.arguments
        text = arguments.get(parameter) if isinstance(arguments, dict) else arguments
        if not isinstance(text, str) or not text.strip():
            error = f"the argument '{parameter}' is missing"
            return ToolCallRequest("", body, error, missing_end=missing_end)
        fenced = FENCED_CODE.match(text)
        return ToolCallRequest(name, fenced[1] if fenced else text, missing_end=missing_end)


def json_end(body: str) -> int | None:
    """Return where the JSON of a call ends that stands in `body`, alone or after a name, or None
    where none is complete."""
    offset = len(body) - len(body.lstrip())
    begins = offset if body.startswith("[", offset) else body.find("{")
    value = decode_json(body[begins:]) if begins >= 0 else None
    return None if value is None else begins + value[1]


def _ends_in_json(call_format: CallFormat, body: str) -> bool:
    """Whether a call without a closing mark is complete: its JSON ends where the text ends."""
    if call_format.end or not body.rstrip().endswith(("}", "]")):
        return False
    if call_format.code and not body.lstrip().startswith(("{", "[")):
        return False
    return json_end(body) == len(body.rstrip())
