"""Tool calls of a model that does not, or not reliably, write the calls of its chat template."""

from collections.abc import Sequence

from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.tool_call_styles import (
    FunctionSchema,
    OutputWrapper,
    ToolCallRequest,
    ToolCallStyle,
)
from reasoner.types.problem import Message

__all__ = ["FallbackStyle"]


class FallbackStyle:
    """Asks for fenced blocks, and also accepts calls in the model's `own` style where they can be
    read; one that cannot is text."""

    def __init__(self, own: ToolCallStyle, fenced: FencedStyle) -> None:
        self.call_prefix = fenced.call_prefix
        self._own, self._fenced = own, fenced

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        return self._fenced.describe_tools(messages)

    def function_schemas(self) -> list[FunctionSchema]:
        return []

    def find_call(self, text: str, turn_ended: bool = False) -> ToolCallRequest | None:
        call = self._own.find_call(text, turn_ended)
        if call is not None and call.error is None:
            return call
        return self._fenced.find_call(text, turn_ended)

    def is_open(self, text: str) -> bool:
        return self._own.is_open(text)

    def output_wrapper(self, tool: str) -> OutputWrapper:
        return self._fenced.output_wrapper(tool)
