"""What a tool-call style is: how a model writes calls, and how it is given their outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reasoner.types.problem import Message
from reasoner.types.tool_call import Tool

__all__ = [
    "MAX_CALL_CHARS",
    "FunctionSchema",
    "OutputWrapper",
    "ToolCallRequest",
    "ToolCallStyle",
    "build_function_schemas",
]

MAX_CALL_CHARS = 40_000
"""A longer paragraph is not searched for a call."""

FunctionSchema = dict[str, Any]
"""A tool as a JSON schema, in the form that chat templates and OpenAI's API take."""


@dataclass(frozen=True)
class ToolCallRequest:
    """A complete call of the tool named `tool` with the argument `text`.

    `error` describes why a malformed call cannot be made; it is None for a valid one. `fenced`
    states that it was a fenced code block. `missing_end` is the closing mark that the model left
    out when it ended its turn.
    """

    tool: str
    text: str
    error: str | None = None
    fenced: bool = False
    missing_end: str = ""


@dataclass(frozen=True)
class OutputWrapper:
    """The text before and after a tool's output in the context; with `as_json` the output stands
    inside a JSON string."""

    before: str
    after: str
    as_json: bool = False


class ToolCallStyle(Protocol):
    """A tool-call style."""

    call_prefix: str
    """The text with which a call begins."""

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages with the tools described, unless the chat template does that."""

    def function_schemas(self) -> list[FunctionSchema]:
        """Return the tools as JSON schemas for the chat template."""

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        """Return the call that is complete at the end of `text`, or None.

        With `turn_ended` the model has ended its turn there, so an unclosed call is complete, too.
        """

    def is_open(self, text: str) -> bool:
        """Whether `text` ends inside a call, which may contain blank lines."""

    def output_wrapper(self, tool: str) -> OutputWrapper:
        """Return what surrounds the output of the tool of that name in the context."""


def build_function_schemas(tools: Sequence[Tool]) -> list[FunctionSchema]:
    """Return the tools in the form that chat templates take in `tools`."""
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
        for tool in tools
    ]
