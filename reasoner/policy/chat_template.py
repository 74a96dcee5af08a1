"""Chat templates: render messages to the text format that a model was trained on.

Templates come from GGUF files, so they run in Jinja's sandbox with a time limit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from reasoner.concurrency.timeout import call_with_timeout
from reasoner.errors import BadModelFile
from reasoner.types.problem import Message

__all__ = ["render_prompt", "render_turns"]

RENDER_SECONDS = 10.0
"""Time limit of a template; usual ones take a hundredth of a second."""
MAX_PRODUCT_SIZE = 1 << 20
"""Limit of the length of a multiplied text or list, and of the base of a power."""


def render_prompt(
    template: str,
    messages: Sequence[Message],
    *,
    bos: str = "",
    eos: str = "",
    think: bool = True,
    functions: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the conversation as text, up to where the assistant's reply begins.

    A template without a system role gets the system message at the head of the first user
    message. `functions` are JSON schemas of the tools. Raises BadModelFile when the template
    fails or takes too long.
    """
    turns = [message.model_dump() for message in messages]
    values: dict[str, Any] = {"bos_token": bos, "eos_token": eos, "enable_thinking": think}
    if functions:
        values["tools"] = list(functions)
    return _render_with_timeout(template, turns, values)


def render_turns(
    template: str, turns: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
) -> str:
    """Return turns of any form, such as calls of tools and their outputs, as text up to where the
    next reply begins; `values` are the template's variables.

    Raises BadModelFile when the template fails or takes too long.
    """
    return _render_with_timeout(template, [dict(turn) for turn in turns], dict(values))


def _render_with_timeout(template: str, turns: list[dict[str, Any]], values: dict[str, Any]) -> str:
    try:
        return str(
            call_with_timeout(partial(_render_template, template, turns, values), RENDER_SECONDS)
        )
    except Exception as error:  # a template is a program from a file: it may raise anything
        raise BadModelFile(f"the model's chat template fails: {error}") from error


def _render_template(template: str, turns: list[dict[str, Any]], values: dict[str, Any]) -> str:
    import jinja2

    compiled = _environment().from_string(template)
    try:
        return _render(compiled, turns, values)
    except jinja2.TemplateError:
        return _render(compiled, _without_system(turns), values)


def _render(compiled: Any, turns: list[dict[str, Any]], values: dict[str, Any]) -> str:
    return str(compiled.render(messages=turns, add_generation_prompt=True, **values))


def _without_system(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge a leading system message into the user message that follows it."""
    if len(turns) < 2 or turns[0]["role"] != "system":
        return turns
    merged = f"{turns[0]['content']}\n\n{turns[1]['content']}"
    return [{"role": "user", "content": merged}, *turns[2:]]


def _environment() -> Any:
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = _sandbox()(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


@cache
def _sandbox() -> type[Any]:
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """Jinja's sandbox without products and powers that would fill the memory."""

        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            numbers = isinstance(left, int | float) and isinstance(right, int | float)
            if operator == "**":
                small = numbers and abs(left) <= MAX_PRODUCT_SIZE and abs(right) <= 64
            else:
                small = numbers or _length(left, right) <= MAX_PRODUCT_SIZE
            if not small:
                raise SecurityError(f"{operator} with operands this large")
            return super().call_binop(context, operator, left, right)

    return Sandbox


def _length(left: Any, right: Any) -> int:
    """Return the length of the product of a sequence and a number."""
    sequence, count = (right, left) if isinstance(left, int) else (left, right)
    return len(sequence) * count if hasattr(sequence, "__len__") else 0
