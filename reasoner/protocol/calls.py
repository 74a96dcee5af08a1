"""How a model writes a call and reads what came of it: fenced blocks, or its own function calls."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reasoner.problem import Message
from reasoner.tool import Tool

__all__ = ["Call", "CallStyle", "Fenced", "Native", "choose_style"]

OPEN, CLOSE = "<tool_call>", "</tool_call>"
FENCE = re.compile(r"(?m)^[ \t]{0,12}```")
MAX_CALL = 40_000
"""Characters of a paragraph in which a call is looked for."""


@dataclass(frozen=True)
class Call:
    """A complete call; `error` says what is wrong with one that cannot be made."""

    tool: str
    text: str
    error: str | None = None


class CallStyle(Protocol):
    """One way of calling."""

    opening: str
    """What a call begins with."""

    def offer(self, messages: Sequence[Message]) -> list[Message]:
        """The conversation with the tools explained, where that is not the template's work."""

    def functions(self) -> list[dict[str, Any]]:
        """The tools as the chat template is given them."""

    def find(self, text: str, over: bool = False) -> Call | None:
        """The call that is complete at the end of `text`, if any; `over` says that the model has
        ended its turn there, so that a call it left open is complete too."""

    def around(self) -> tuple[str, str]:
        """What stands before and after the tool's output in the context."""


class Fenced:
    """For any model: a fenced block is a call, and an `output` block follows it."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.fence: tool for tool in tools}
        self.opening = f"```{next(iter(self._tools))}\n"

    def offer(self, messages: Sequence[Message]) -> list[Message]:
        """Explained in the system message, else at the end of the question."""
        text = "\n".join(
            f"{tool.description} Write it as a ```{fence} block; it is run at once and its output "
            "follows in an ```output block, then go on."
            for fence, tool in self._tools.items()
        )
        spot = 0 if messages[0].role == "system" else len(messages) - 1
        told = messages[spot].model_copy(update={"content": f"{messages[spot].content}\n\n{text}"})
        return [*messages[:spot], told, *messages[spot + 1 :]]

    def functions(self) -> list[dict[str, Any]]:
        return []

    def find(self, text: str, over: bool = False) -> Call | None:
        if not (over or text.endswith(("```", "```\n"))) or len(text) > MAX_CALL:
            return None
        parts = FENCE.split(text)
        if len(parts) % 2 == 0 and over:
            parts.append("")
        if len(parts) % 2 == 0 or parts[-1].strip():
            return None
        language, _, body = parts[-2].partition("\n")
        tool = self._tools.get(language.strip().lower())
        return Call(tool.name, body) if tool and body.strip() else None

    def around(self) -> tuple[str, str]:
        return "\n```output\n", "\n```\n\n"


class Native:
    """For models trained on function calls in `<tool_call>` tags (Qwen, Hermes and their kin)."""

    def __init__(self, tools: Sequence[Tool], output_wrapper: tuple[str, str]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        first = next(iter(self._tools.values()))
        self.opening = f'{OPEN}\n{{"name": "{first.name}", "arguments": {{"{first.parameter}": "'
        self._output_wrapper = output_wrapper

    def offer(self, messages: Sequence[Message]) -> list[Message]:
        return list(messages)

    def functions(self) -> list[dict[str, Any]]:
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

    def find(self, text: str, over: bool = False) -> Call | None:
        if not (over or text.endswith((CLOSE, f"{CLOSE}\n"))) or len(text) > MAX_CALL:
            return None
        _, opened, body = text.rpartition(OPEN)
        body, closed, rest = body.partition(CLOSE)
        if not opened or rest.strip() or not (closed or over):
            return None
        return self._read(body)

    def _read(self, body: str) -> Call:
        """A call from the JSON between the tags."""
        try:
            said = json.loads(body, strict=False)
            name, arguments = str(said["name"]), said["arguments"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return Call("", body, 'the call is not {"name": …, "arguments": {…}} in valid JSON')
        if name not in self._tools:
            known = ", ".join(self._tools)
            return Call("", body, f"there is no function '{name[:60]}', there is {known}")
        parameter = self._tools[name].parameter
        text = arguments.get(parameter) if isinstance(arguments, dict) else arguments
        if not isinstance(text, str) or not text.strip():
            return Call("", body, f"the argument '{parameter}' is missing")
        return Call(name, text)

    def around(self) -> tuple[str, str]:
        return self._output_wrapper


def choose_style(
    tools: Sequence[Tool],
    template: str,
    named: str | None,
    render_output_wrapper: Callable[[], tuple[str, str]],
) -> CallStyle:
    """Return the tool-call style called `named` (`fenced` or `native`), or the one that the chat
    template was made for.

    `template` is Jinja source: one that knows `tools` and writes `<tool_call>` is native.
    `render_output_wrapper` is called for the native style only; it returns the text that the
    template puts before and after a tool's output, and what it raises is passed on.
    """
    native = "tools" in template and OPEN in template
    if named == "native" or (named is None and native):
        return Native(tools, render_output_wrapper())
    return Fenced(tools)
