"""Tool calls as fenced code blocks, which any model can write."""

import re
from collections.abc import Sequence

from reasoner.protocol.tool_call_styles import (
    MAX_CALL_CHARS,
    FunctionSchema,
    OutputWrapper,
    ToolCallRequest,
)
from reasoner.types.problem import Message
from reasoner.types.tool_call import Tool

__all__ = ["FencedStyle"]

FENCE_PATTERN = re.compile(r"(?m)^[ \t]{0,12}```")


class FencedStyle:
    """For any model: a fenced block in a tool's language is a call, its output is a block, too."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.fence_language: tool for tool in tools}
        self.call_prefix = f"```{next(iter(self._tools))}\n"

    @property
    def instruction(self) -> str:
        """The sentences that tell a model how to call the tools."""
        return "\n".join(
            f"{tool.description} Write it as a ```{fence} block; it is run at once and its output "
            "follows in an ```output block, then go on."
            for fence, tool in self._tools.items()
        )

    def describe_tools(self, messages: Sequence[Message]) -> list[Message]:
        """Describe the tools in the system message, or at the end of the question."""
        index = 0 if messages[0].role == "system" else len(messages) - 1
        message = messages[index].model_copy(
            update={"content": f"{messages[index].content}\n\n{self.instruction}"}
        )
        return [*messages[:index], message, *messages[index + 1 :]]

    def function_schemas(self) -> list[FunctionSchema]:
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
        return ToolCallRequest(tool.name, body, fenced=True) if tool and body.strip() else None

    def is_open(self, text: str) -> bool:
        return False  # a paragraph does not end inside a code block anyway

    def output_wrapper(self, tool: str) -> OutputWrapper:
        return OutputWrapper("\n```output\n", "\n```\n\n")
