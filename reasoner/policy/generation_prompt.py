"""What a chat template writes before a reply, with thinking on and off."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from reasoner.policy.chat_template import render_prompt
from reasoner.policy.switch_trials import find_thinking_switch
from reasoner.settings import Effort
from reasoner.types.problem import Message

__all__ = ["GenerationPrompt", "generation_prompt"]

QUESTION = "What is asked here?"


class GenerationPrompt(NamedTuple):
    """A rendered prompt of one message: what stands before it, with the template's own system text,
    and what stands after it, up to where the reply begins."""

    before: str
    after: str


def generation_prompt(
    template: str,
    think: bool,
    *,
    bos: str = "",
    eos: str = "",
    effort: Effort | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> GenerationPrompt:
    """Return what the template writes around a single message, with thinking on or off.

    What opens a block of thought, or an empty one, stands at the end of `after`; instructions to
    think stand anywhere. Raises BadModelFile when the template fails.
    """
    switch = find_thinking_switch(template, arguments)
    text = render_prompt(
        template,
        switch.with_words([Message(role="user", content=QUESTION)], think),
        bos=bos,
        eos=eos,
        variables=switch.variables(think, effort=effort, arguments=arguments),
    )
    before, _, after = text.rpartition(QUESTION)
    word = switch.words[0 if think else 1]
    return GenerationPrompt(before, after.removeprefix(f" {word}") if word else after)
