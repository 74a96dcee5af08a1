"""Tool-call formats: fenced code blocks, or function calls in `<tool_call>` tags."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reasoner.types.problem import Message
from reasoner.types.tool_call import Tool

__all__ = ["FencedStyle", "NativeStyle", "ToolCallRequest", "ToolCallStyle", "choose_tool_style"]

CALL_START, CALL_END = "<tool_call>", "</tool_call>"
FENCE_PATTERN = re.compile(r"(?m)^[ \t]{0,12}```")
MAX_CALL_CHARS = 40_000
"""A longer paragraph is not searched for a call."""


@dataclass(frozen=True)
class ToolCallRequest:
    """A complete call of the tool named `tool` with the argument `text`.

    `error` describes why a malformed call cannot be made; it is None for a valid one.
    """

    tool: str
    text: str
    error: str | None = None


class ToolCallStyle(Protocol):
    """A tool-call format."""

    call_prefix: str
    """The text with which a call begins."""

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages with the tools described, unless the chat template does that."""

    def function_schemas(self) -> list[dict[str, Any]]:
        """Return the tools as JSON schemas for the chat template."""

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        """Return the call that is complete at the end of `text`, or None.

        With `turn_ended` the model has ended its turn there, so an unclosed call is complete, too.
        """

    def output_wrapper(self) -> tuple[str, str]:
        """Return the text before and after the tool's output in the context."""


class FencedStyle:
    """For any model: a fenced block in a tool's language is a call, its output is a block, too."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.fence_language: tool for tool in tools}
        self.call_prefix = f"```{next(iter(self._tools))}\n"

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        """Describe the tools in the system message, or at the end of the question."""
        text = "\n".join(
            f"{tool.description} Write it as a ```{fence} block; it is run at once and its output "
            "follows in an ```output block, then go on."
            for fence, tool in self._tools.items()
        )
        index = 0 if messages[0].role == "system" else len(messages) - 1
        message = messages[index].model_copy(
            update={"content": f"{messages[index].content}\n\n{text}"}
        )
        return [*messages[:index], message, *messages[index + 1 :]]

    def function_schemas(self) -> list[dict[str, Any]]:
        return []

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        if not (turn_ended or text.endswith(("```", "```\n"))) or len(text) > MAX_CALL_CHARS:
            return None
        parts = FENCE_PATTERN.split(text)
        if len(parts) % 2 == 0 and turn_ended:
            parts.append("")
        if len(parts) % 2 == 0 or parts[-1].strip():
            return None
        language, _, body = parts[-2].partition("\n")
        tool = self._tools.get(language.strip().lower())
        return ToolCallRequest(tool.name, body) if tool and body.strip() else None

    def output_wrapper(self) -> tuple[str, str]:
        return "\n```output\n", "\n```\n\n"


class NativeStyle:
    """For models trained on function calls in `<tool_call>` tags, such as Qwen and Hermes.

    `output_wrapper` is the text of the chat template before and after a tool's output.
    """

    def __init__(self, tools: Sequence[Tool], output_wrapper: tuple[str, str]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        first = next(iter(self._tools.values()))
        self.call_prefix = (
            f'{CALL_START}\n{{"name": "{first.name}", "arguments": {{"{first.parameter}": "'
        )
        self._output_wrapper = output_wrapper

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        return list(messages)

    def function_schemas(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": {
                        "type": "object",
                        "properties": {tool.parameter: {"type": "string"}},
                        "required": [tool.parameter],
                    },
                },
            }
            for tool in self._tools.values()
        ]

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        if (
            not (turn_ended or text.endswith((CALL_END, f"{CALL_END}\n")))
            or len(text) > MAX_CALL_CHARS
        ):
            return None
        _, opened, body = text.rpartition(CALL_START)
        body, closed, rest = body.partition(CALL_END)
        if not opened or rest.strip() or not (closed or turn_ended):
            return None
        return self._read(body)

    def _read(self, body: str) -> ToolCallRequest:
        """Parse the JSON between the tags."""
        try:
            call = json.loads(body, strict=False)
            name, arguments = str(call["name"]), call["arguments"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return ToolCallRequest(
                "", body, 'the call is not {"name": …, "arguments": {…}} in valid JSON'
            )
        if name not in self._tools:
            known = ", ".join(self._tools)
            return ToolCallRequest(
                "", body, f"there is no function '{name[:60]}', there is {known}"
            )
        parameter = self._tools[name].parameter
        text = arguments.get(parameter) if isinstance(arguments, dict) else arguments
        if not isinstance(text, str) or not text.strip():
            return ToolCallRequest("", body, f"the argument '{parameter}' is missing")
        return ToolCallRequest(name, text)

    def output_wrapper(self) -> tuple[str, str]:
        return self._output_wrapper


def choose_tool_style(
    tools: Sequence[Tool],
    template: str,
    named: str | None,
    render_output_wrapper: Callable[[], tuple[str, str]],
) -> ToolCallStyle:
    """Return the tool-call style called `named` (`fenced` or `native`), or the one that the chat
    template was made for.

    `template` is Jinja source: one that knows `tools` and writes `<tool_call>` is native.
    `render_output_wrapper` is called for the native style only; it returns the text that the
    template puts before and after a tool's output, and what it raises is passed on.
    """
    native = "tools" in template and CALL_START in template
    if named == "native" or (named is None and native):
        return NativeStyle(tools, render_output_wrapper())
    return FencedStyle(tools)
