"""Prompts: conversations rendered by a model's chat template, as tokens."""

from collections.abc import Sequence
from json import dumps

from reasoner.engine.interface import Engine
from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.protocol.protocol import StepProtocol
from reasoner.protocol.tool_call_styles import ToolCallStyle
from reasoner.types.problem import Message, Problem

__all__ = ["PromptBuilder"]

PRIVATE_USE, NONCHARACTER = range(0xF0000, 0xFFFFE), "\U0010ffff"


class PromptBuilder:
    """Builds the prompts of one model.

    With `merge_system`, for models trained without system prompts, the system prompt becomes the
    beginning of the first user message.
    """

    def __init__(self, engine: Engine, protocol: StepProtocol, merge_system: bool) -> None:
        self._engine, self._protocol = engine, protocol
        self._merge_system = merge_system

    def prompt_tokens(
        self, problem: Problem, think: bool, style: ToolCallStyle | None
    ) -> list[int]:
        """The tokens of a problem's prompt.

        `think` states whether the reply begins with reasoning; only then tools are offered, in the
        given `style`. Raises BadModelFile when the model has no chat template.
        """
        template = self._template()
        messages = self._protocol.messages(problem, think)
        style = style if think else None
        if style is not None:
            messages = style.describe_tools(messages)
        messages = self._merged(messages)
        cut = _unused_character([message.content for message in messages])
        text = render_prompt(
            template,
            [self._with_cut_marks(message, cut) for message in messages],
            functions=style.function_schemas() if style else (),
            bos=self._token_text(self._engine.bos),
            eos=self._token_text(self._engine.eos),
            think=think,
        )
        text = text.replace(_json_form(cut), cut)  # a template may write texts as JSON
        text += self._protocol.reply_prefix(text.replace(cut, ""), think)
        return self._engine.tokenize_prompt(text.split(cut))

    def _template(self) -> str:
        template = self._engine.chat_template
        if template is None:
            raise BadModelFile(
                "the model has no chat template, so it was not made to answer questions; "
                "choose an instruction-tuned one (reasoner models list)"
            )
        return template

    def _merged(self, messages: list[Message]) -> list[Message]:
        if not self._merge_system or len(messages) < 2 or messages[0].role != "system":
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
    """A character of Unicode's private use that none of the texts contains, nor its JSON form."""
    used, text = set().union(*texts), "".join(texts)
    unused = (char for char in map(chr, PRIVATE_USE) if char not in used)
    return next((char for char in unused if _json_form(char) not in text), NONCHARACTER)


def _json_form(text: str) -> str:
    return dumps(text)[1:-1]
