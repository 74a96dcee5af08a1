"""Finds how a chat template turns thinking on and off, by rendering it.

Templates agree on no name for the switch, and many name variables that they never use. So each
known name is tried, and those that change the prompt are used.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import with_renderer
from reasoner.policy.message_layout import conversation_layouts
from reasoner.policy.template_limits import AllowanceExceeded
from reasoner.policy.thinking_switch import EFFORTS, ThinkingSwitch, with_word
from reasoner.types.problem import Message
from reasoner.types.template_arguments import (
    BUDGET_ARGUMENTS,
    EFFORT_ARGUMENTS,
    EFFORTS_WITHOUT_THINKING,
    THINKING_ARGUMENTS,
)

__all__ = ["find_thinking_switch"]

PROBE_BUDGET_TOKENS = 512
QUESTION = "What is asked here?"
CONVERSATIONS = (
    (Message(role="user", content=QUESTION),),
    (
        Message(role="system", content="This is an instruction."),
        Message(role="user", content="What was asked first?"),
        Message(role="assistant", content="That was the reply."),
        Message(role="user", content=QUESTION),
    ),
)
SWITCH_WORDS = (("/think",), ("/no_think", "/nothink"))
"""The words for on, and those for off, that some models obey in a message."""
NEUTRAL_WORD = "/a_neutral_word"
VARIABLE_PATTERN = r"(?<![\w.<>/'\"-]){}(?![\w'\">])"
"""A name that is neither quoted, nor a field of something, nor in a tag."""


def find_thinking_switch(
    template: str, arguments: Mapping[str, Any] | None = None
) -> ThinkingSwitch:
    """Return the switch of a template, by rendering it with each variable that it might know.

    `arguments` are further variables, which a template may need. A template that fails or takes
    long has no switch: the error comes when a prompt is rendered.
    """
    return _find_switch(template, json.dumps(arguments or {}, sort_keys=True))


@lru_cache(maxsize=16)
def _find_switch(template: str, arguments: str) -> ThinkingSwitch:
    """The switch of a template; the arguments are JSON, so that they can be a key."""
    given = json.loads(arguments)
    try:
        return with_renderer(lambda render: _try_switches(_Trial(template, given, render)))
    except BadModelFile:
        return ThinkingSwitch()


def _try_switches(trial: "_Trial") -> ThinkingSwitch:
    on, off = _find_values(trial)
    effort_name, efforts, without_thinking = _find_effort(trial, on)
    if effort_name and without_thinking is not None:
        off = {**off, effort_name: without_thinking}
    budget_name, has_zero = _find_budget(trial, on)
    if budget_name and has_zero and not off:
        off = {budget_name: 0}
    words, in_system = ((None, None), False) if on or off else _find_words(trial)
    return ThinkingSwitch(on, off, effort_name, efforts, budget_name, words, in_system)


class _Trial:
    """Renders conversations with a template to compare the results."""

    def __init__(
        self, template: str, arguments: Mapping[str, Any], render: Callable[..., str]
    ) -> None:
        self._template, self._arguments, self._render = template, arguments, render

    def names(self, name: str) -> bool:
        """Whether the name stands in the template where it may be a variable's."""
        return re.search(VARIABLE_PATTERN.format(name), self._template) is not None

    def mentions(self, word: str) -> bool:
        """Whether the word for a message stands in the template."""
        return re.search(_word_pattern(word), self._template) is not None

    def quotes(self, value: Any) -> bool:
        """Whether the template has the value as a text; true of any value that is none."""
        return not isinstance(value, str) or any(
            f"{quote}{value}{quote}" in self._template for quote in "'\""
        )

    def render(
        self,
        variables: Mapping[str, Any] | None = None,
        word: str | None = None,
        in_system: bool = False,
    ) -> str | None:
        """The rendered conversations, None when the template fails; dates are always the same.

        Raises AllowanceExceeded when the time is up.
        """
        conversations = [
            with_word(messages, word, in_system=in_system) if word else messages
            for messages in CONVERSATIONS
        ]
        values = {**self._arguments, **(variables or {}), "strftime_now": str}
        texts = [self._first_rendering(messages, values) for messages in conversations]
        return None if None in texts else "\0".join(filter(None, texts))

    def _first_rendering(
        self, messages: Sequence[Message], values: Mapping[str, Any]
    ) -> str | None:
        """The text in the first layout that the template takes."""
        for turns in conversation_layouts(messages):
            try:
                text = self._render(self._template, values, turns)
            except AllowanceExceeded:
                raise
            except Exception:  # noqa: S112  it may fail in any way; another layout may do
                continue
            if QUESTION in text:
                return text
        return None


def _find_values(trial: _Trial) -> tuple[dict[str, Any], dict[str, Any]]:
    """The variables that turn thinking on and off, with their values for on, and for off."""
    on, off = {}, {}
    for name in filter(trial.names, THINKING_ARGUMENTS):
        for value_on, value_off in THINKING_ARGUMENTS[name]:
            if not (trial.quotes(value_on) and trial.quotes(value_off)):
                continue
            texts = trial.render({name: value_on}), trial.render({name: value_off})
            if None not in texts and texts[0] != texts[1]:
                on[name], off[name] = value_on, value_off
                break
    return on, off


def _find_effort(
    trial: _Trial, on: Mapping[str, Any]
) -> tuple[str | None, tuple[str, ...], str | None]:
    """The name of the effort, its values, and the one that turns thinking off, if there is one."""
    for name in filter(trial.names, EFFORT_ARGUMENTS):
        texts = {value: trial.render({**on, name: value}) for value in EFFORTS}
        accepted = {value: text for value, text in texts.items() if text is not None}
        if len({*accepted.values(), trial.render(on)}) < 2 or not accepted:
            continue
        for word in filter(trial.quotes, EFFORTS_WITHOUT_THINKING):
            text = trial.render({name: word})
            if text is not None and text not in accepted.values():
                return name, tuple(accepted), word
        return name, tuple(accepted), None
    return None, (), None


def _find_budget(trial: _Trial, on: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The name of the token budget, and whether zero tokens turn thinking off."""
    for name in filter(trial.names, BUDGET_ARGUMENTS):
        text = trial.render({**on, name: PROBE_BUDGET_TOKENS})
        if text is not None and text != trial.render(on):
            zero = trial.render({**on, name: 0})
            return name, zero is not None and zero not in (text, trial.render(on))
    return None, False


def _find_words(trial: _Trial) -> tuple[tuple[str | None, str | None], bool]:
    """The words that turn thinking on and off, and whether they belong in the system message.

    A template that only mentions the word for off explains it to the model, which then obeys it in
    the question.
    """
    on, off = (next(filter(trial.mentions, words), None) for words in SWITCH_WORDS)
    for in_system in (True, False):
        words = (
            on if on and _has_effect(trial, on, in_system) else None,
            off if off and _has_effect(trial, off, in_system) else None,
        )
        if any(words):
            return words, in_system
    return (None, off), False


def _has_effect(trial: _Trial, word: str, in_system: bool) -> bool:
    """Whether the template does something about the word, beside removing it."""
    text = trial.render(word=word, in_system=in_system)
    neutral = trial.render(word=NEUTRAL_WORD, in_system=in_system)
    if text is None or neutral is None:
        return False
    return _without_word(text, word) != _without_word(neutral, NEUTRAL_WORD)


def _without_word(text: str, word: str) -> list[str]:
    return re.sub(_word_pattern(word), "", text).split()


def _word_pattern(word: str) -> str:
    """A pattern for the word where it is no part of a tag such as `</think>`."""
    return rf"(?<![<\w]){re.escape(word)}\b"
