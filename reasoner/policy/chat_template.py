"""Chat templates: render messages to the text format that a model was trained on.

Templates come from GGUF files, so they run in Jinja's sandbox with limits of time and memory. Every
message must stand in the rendered text: a template that would drop one silently gets the
conversation in another layout, and is refused when no layout helps.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeVar

from reasoner.concurrency.timeout import call_with_timeout
from reasoner.errors import BadModelFile
from reasoner.policy.message_layout import Turns, conversation_layouts
from reasoner.policy.message_marks import MessageMarks
from reasoner.policy.template_limits import AllowanceExceeded
from reasoner.types.problem import Message

__all__ = ["render_prompt", "tool_variables", "with_renderer"]

T = TypeVar("T")

RENDER_SECONDS = 10.0
"""Time limit of a prompt; usual templates take a hundredth of a second."""
STOPPING_SECONDS = 1.0
"""How long a template that notices the limit by itself may take to stop."""
MAX_EXCERPT_CHARS, MAX_REASON_CHARS = 40, 300
SOFT_SWITCH = re.compile(r"/(?:no_?)?think\b")
"""A word by which a user or a system prompt turns thinking on or off; templates may remove it."""
REASONING_BLOCK = re.compile(
    r"\s*(?:<(?!/)[^<>\n]{1,40}>|\[(?!/)\w{1,30}\]|◁[^/▷]{1,30}▷)"
    r".*(?:</[^<>\n]{1,40}>|<[^<>\n]{1,40}\|>|\[/\w{1,30}\]|◁/[^▷]{1,30}▷)(?P<answer>.*)",
    re.DOTALL,
)
"""An assistant's message that begins with a block of reasoning, which templates leave out."""


def render_prompt(
    template: str,
    messages: Sequence[Message],
    *,
    bos: str = "",
    eos: str = "",
    functions: Sequence[dict[str, Any]] = (),
    variables: Mapping[str, Any] | None = None,
) -> str:
    """Return the conversation as text, up to where the assistant's reply begins.

    `functions` are JSON schemas of the tools, `variables` further variables of the template. What a
    template changes in a message is put back; only reasoning at the beginning of an assistant's
    message may be left out. Raises BadModelFile when the template fails or takes too long, and when
    it leaves out a message in every layout of the conversation.
    """
    values: dict[str, Any] = {"bos_token": bos, "eos_token": eos, **(variables or {})}
    empty: dict[str, Any] = {"tools": [], "documents": []}
    choices = [tool_variables(functions)] if functions else [{}, empty]
    return with_renderer(
        lambda render: _render_conversation(
            [partial(render, template, values | choice) for choice in choices], list(messages)
        )
    )


def tool_variables(functions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the variables in which templates take tools; SmolLM3's has a name of its own."""
    return {"tools": list(functions), "xml_tools": list(functions)}


def with_renderer(work: Callable[[Callable[..., str]], T]) -> T:
    """Return what `work` makes of a function that renders a template with values and turns.

    Raises BadModelFile when the template fails, or `work` takes longer than RENDER_SECONDS.
    """
    from reasoner.policy.template_environment import render_template

    render = partial(render_template, time.monotonic() + RENDER_SECONDS)
    try:
        return call_with_timeout(partial(work, render), RENDER_SECONDS + STOPPING_SECONDS)
    except BadModelFile:
        raise
    except Exception as error:  # a template is a program from a file: it may raise anything
        reason = " ".join(str(error).split())[:MAX_REASON_CHARS] or type(error).__name__
        raise BadModelFile(f"the model's chat template fails: {reason}") from error


def _render_conversation(
    renderers: Sequence[Callable[[Turns], str]], messages: Sequence[Message]
) -> str:
    """Render the conversation in the first layout in which every message stands in the text.

    Each layout is tried with marks in place of the texts, because a short text might stand in the
    prompt by accident. The second renderer, which passes empty lists for what is absent, is for
    templates that go through the tools without looking whether there are any.
    """
    marks = MessageMarks([message.content for message in messages])
    marked = [
        message.model_copy(update={"content": mark})
        for message, mark in zip(messages, marks.marks, strict=True)
    ]
    failure: Exception | None = None
    dropped: list[int] = []
    for render, turns in product(renderers, conversation_layouts(marked)):
        is_plain = isinstance(turns[0]["content"], str)
        try:
            missing = marks.missing(render(turns))
            if not missing:
                return _render_texts(render, turns, messages, marks)
        except AllowanceExceeded:
            raise
        except Exception as error:
            if failure is None or is_plain:
                failure = error  # of the layout that gives way most, but not for having parts
            continue
        if is_plain and (not dropped or len(missing) < len(dropped)):
            dropped = missing
    if failure is not None and not dropped:
        raise failure
    raise BadModelFile(
        f"the model's chat template leaves out {_name_of(dropped[0], messages)}; "
        "give another one with --chat-template FILE"
    )


def _render_texts(
    render: Callable[[Turns], str], turns: Turns, messages: Sequence[Message], marks: MessageMarks
) -> str:
    """Render the marked turns with their texts; what the template changes in a text is put back."""
    everything = {*range(len(messages))}
    try:
        text = render([marks.fill(turn, everything) for turn in turns])
        rendered = _collapse_spaces(text)
        changed = {n for n, message in enumerate(messages) if not _stands(message, rendered)}
    except AllowanceExceeded:
        raise
    except Exception:  # it refuses a text, such as a name of a control token
        changed = {*everything}
    if not changed:
        return text
    return marks.fill_text(render([marks.fill(turn, everything - changed) for turn in turns]))


def _stands(message: Message, rendered: str) -> bool:
    """Whether the message stands in the rendered text with collapsed spaces, perhaps within JSON,
    and apart from words that switch thinking and reasoning that an assistant's message begins with.
    """
    if _collapse_spaces(message.content) in rendered:
        return True
    as_json = [json.dumps(message.content, ensure_ascii=ascii)[1:-1] for ascii in (False, True)]
    contents = [SOFT_SWITCH.sub(" ", message.content), *as_json]
    if message.role == "assistant" and (block := REASONING_BLOCK.fullmatch(message.content)):
        contents += [block["answer"]] if block["answer"].strip() else []
    return any(_collapse_spaces(content) in rendered for content in contents)


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def _name_of(number: int, messages: Sequence[Message]) -> str:
    """A message in words: "the system message", "the question", or its place in the history."""
    message = messages[number]
    if number == len(messages) - 1:
        return "the question"
    if message.role == "system" and number == 0:
        return "the system message"
    excerpt = _collapse_spaces(message.content)
    if len(excerpt) > MAX_EXCERPT_CHARS:
        excerpt = f"{excerpt[:MAX_EXCERPT_CHARS]}…"
    return f"message {number + 1} of {len(messages)} ({message.role}: {excerpt})"
