"""Prompts: conversations rendered by a model's chat template, as tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reasoner.engine.interface import Engine
from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.policy.switch_trials import find_thinking_switch
from reasoner.policy.thinking_switch import ThinkingSwitch
from reasoner.protocol.protocol import StepProtocol
from reasoner.protocol.tool_call_styles import ToolCallStyle
from reasoner.settings import Effort
from reasoner.types.problem import Message, Problem

__all__ = ["PromptBuilder", "PromptOptions"]


@dataclass(frozen=True)
class PromptOptions:
    """How the prompts of a model are made, beside its chat template.

    With `merge_system`, for models trained without system prompts, the system prompt becomes the
    beginning of the first user message. `effort` and `budget`, the number of reasoning tokens, are
    told to templates that take them; `arguments` are the user's own variables for the template.
    """

    merge_system: bool = False
    effort: Effort | None = None
    budget: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def variables(self, template: str, think: bool) -> dict[str, Any]:
        """The template's variables for these options, with thinking on or off."""
        return self.switch(template).variables(
            think, effort=self.effort, budget=self.budget, arguments=self.arguments
        )

    def switch(self, template: str) -> ThinkingSwitch:
        """How the template turns thinking on and off."""
        return find_thinking_switch(template, self.arguments)


PRIVATE_USE = range(0xF0000, 0xFFFFE)


class PromptBuilder:
    """Builds the prompts of one model."""

    def __init__(self, engine: Engine, protocol: StepProtocol, options: PromptOptions) -> None:
        self._engine, self._protocol, self._options = engine, protocol, options

    def prompt_tokens(
        self, problem: Problem, think: bool, style: ToolCallStyle | None
    ) -> list[int]:
        """The tokens of a problem's prompt.

        `think` states whether the reply begins with reasoning; only then tools are offered, in the
        given `style`. Raises BadModelFile when the model has no chat template, or one that fails or
        leaves out a message.
        """
        template = self._template()
        messages = self._protocol.messages(problem, think)
        style = style if think else None
        if style is not None:
            messages = style.describe_tools(messages)
        messages = self._merged(messages)
        cut = _unused_character([message.content for message in messages])
        messages = [self._with_cut_marks(message, cut) for message in messages]
        text = self._render(template, messages, think, style.function_schemas() if style else ())
        text += self._protocol.reply_prefix(text.replace(cut, ""), think)
        return self._engine.tokenize_prompt(text.split(cut))

    def _render(
        self,
        template: str,
        messages: list[Message],
        think: bool,
        functions: Sequence[dict[str, Any]],
    ) -> str:
        """The conversation as text, with thinking switched as the template has it."""
        return render_prompt(
            template,
            self._options.switch(template).with_words(messages, think),
            functions=functions,
            bos=self._token_text(self._engine.bos),
            eos=self._token_text(self._engine.eos),
            variables=self._options.variables(template, think),
        )

    def _template(self) -> str:
        template = self._engine.chat_template
        if template is None:
            raise BadModelFile(
                "the model has no chat template, so it was not made to answer questions; choose an "
                "instruction-tuned one (reasoner models list), or give the template it was trained "
                "on: --chat-template chatml, another name or a file"
            )
        return template

    def _merged(self, messages: list[Message]) -> list[Message]:
        if not self._options.merge_system or len(messages) < 2 or messages[0].role != "system":
            return messages
        merged = f"{messages[0].content}\n\n{messages[1].content}"
        return [messages[1].model_copy(update={"content": merged}), *messages[2:]]

    def _with_cut_marks(self, message: Message, cut: str) -> Message:
        """The message with the character `cut` inside every mark that its text spells. Where the
        prompt is cut there, no token stands for the mark, and the text remains what it is."""
        content = cut.join(self._engine.split_marks(message.content))
        return message.model_copy(update={"content": content})

    def _token_text(self, token: int | None) -> str:
        return "" if token is None else self._engine.detokenize([token], special=True)


def _unused_character(texts: Sequence[str]) -> str:
    """A character of Unicode's private use that none of the texts contains."""
    used = set().union(*texts)
    return next(char for char in map(chr, PRIVATE_USE) if char not in used)
