"""The tokens a model reads before it writes: the conversation in its own chat template."""

from reasoner.engine.engine import Engine
from reasoner.engine.template import render
from reasoner.errors import BadModelFile
from reasoner.problem import Message, Problem
from reasoner.protocol.calls import CallStyle
from reasoner.protocol.protocol import StepProtocol

__all__ = ["Prompts"]


class Prompts:
    """The prompts of one model. With `merge_system`, for models that were trained without system
    prompts, such a prompt is put before the question."""

    def __init__(self, engine: Engine, protocol: StepProtocol, merge_system: bool) -> None:
        self._engine, self._protocol = engine, protocol
        self._merge_system = merge_system

    def tokens(self, problem: Problem, think: bool, style: CallStyle | None) -> list[int]:
        """The prompt of a problem; tools are offered in their `style`, to who thinks. Raises
        BadModelFile when the model has no chat template."""
        template = self._engine.chat_template
        if template is None:
            raise BadModelFile(
                "the model has no chat template, so it was not made to answer questions; "
                "choose an instruction-tuned one (reasoner models list)"
            )
        messages = self._protocol.messages(problem, think)
        style = style if think else None
        if style is not None:
            messages = style.offer(messages)
        text = render(
            template,
            [self._disarmed(message) for message in self._merged(messages)],
            functions=style.functions() if style else (),
            bos=self._name(self._engine.bos),
            eos=self._name(self._engine.eos),
            think=think,
        )
        return self._engine.tokenize(text + self._protocol.opening(text, think))

    def _merged(self, messages: list[Message]) -> list[Message]:
        if not self._merge_system or len(messages) < 2 or messages[0].role != "system":
            return messages
        merged = f"{messages[0].content}\n\n{messages[1].content}"
        return [messages[1].model_copy(update={"content": merged}), *messages[2:]]

    def _disarmed(self, message: Message) -> Message:
        """Text that spells a control token must not act as one: break its name up."""
        special = {
            token
            for token in self._engine.tokenize(message.content)
            if self._engine.piece(token) != self._engine.piece(token, special=True)
        }
        content = message.content
        for name in {self._engine.piece(token, special=True).decode() for token in special}:
            content = content.replace(name, f"{name[:1]}\u200b{name[1:]}")
        return message if not special else message.model_copy(update={"content": content})

    def _name(self, token: int | None) -> str:
        return "" if token is None else self._engine.detokenize([token], special=True)
