"""The variables and words by which a chat template, or its model, turns thinking on and off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reasoner.settings import Effort
from reasoner.types.problem import Message

__all__ = ["EFFORTS", "ThinkingSwitch", "with_word"]

EFFORTS = ("low", "medium", "high")
"""The efforts that templates know, the lowest first."""


@dataclass(frozen=True)
class ThinkingSwitch:
    """The variables of a template that concern thinking.

    `on` and `off` are their values with and without it. `efforts` are the values that the variable
    `effort_name` may have, the lowest first; the variable `budget_name` takes a number of tokens.
    `words` are the words for on and off, None where none is needed; they stand in the system
    message with `words_in_system`, otherwise in the question.
    """

    on: Mapping[str, Any] = field(default_factory=dict)
    off: Mapping[str, Any] = field(default_factory=dict)
    effort_name: str | None = None
    efforts: tuple[str, ...] = ()
    budget_name: str | None = None
    words: tuple[str | None, str | None] = (None, None)
    words_in_system: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the template can be told to think and not to think."""
        return bool(self.on or self.off or any(self.words))

    def variables(
        self,
        think: bool,
        *,
        effort: Effort | None = None,
        budget: int | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The variables to render the template with.

        `arguments` are the user's own: they replace the effort and the `budget` in tokens, but not
        the switch, which is always as `think` says.
        """
        chosen: dict[str, Any] = {}
        if self.effort_name and effort and (think or not self.off):
            chosen[self.effort_name] = self._nearest(effort if think else "low")
        if self.budget_name and budget is not None and think:
            chosen[self.budget_name] = budget
        return {**chosen, **(arguments or {}), **(self.on if think else self.off)}

    def _nearest(self, effort: Effort) -> str:
        """The template's effort that is as high, else the next higher one, else the highest."""
        wanted = EFFORTS.index(effort) if effort in EFFORTS else len(EFFORTS)
        higher = (value for value in self.efforts if EFFORTS.index(value) >= wanted)
        return next(higher, self.efforts[-1])

    def with_words(self, messages: Sequence[Message], think: bool) -> list[Message]:
        """The messages with the word that turns thinking on or off, where one is needed."""
        word = self.words[0] if think else self.words[1]
        if word is None:
            return list(messages)
        return with_word(messages, word, in_system=self.words_in_system)


def with_word(messages: Sequence[Message], word: str, *, in_system: bool) -> list[Message]:
    """The messages with a word at the end of the question, or of the system message."""
    if not in_system:
        return [*messages[:-1], _with_end(messages[-1], word)]
    if messages[0].role == "system":
        return [_with_end(messages[0], word), *messages[1:]]
    return [Message(role="system", content=word), *messages]


def _with_end(message: Message, word: str) -> Message:
    return message.model_copy(update={"content": f"{message.content} {word}"})
