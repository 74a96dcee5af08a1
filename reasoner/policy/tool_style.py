"""Chooses how a model calls tools: as its chat template does, or in fenced blocks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import with_renderer
from reasoner.policy.tool_call_probe import TemplateCalls, probe_tool_calls
from reasoner.protocol.fallback_calls import FallbackStyle
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.native_calls import NativeStyle
from reasoner.protocol.tool_call_formats import KNOWN_FORMATS
from reasoner.protocol.tool_call_styles import ToolCallStyle
from reasoner.types.tool_call import Tool

__all__ = ["choose_tool_style"]


def choose_tool_style(
    tools: Sequence[Tool],
    template: str,
    named: str | None,
    reply_prefix: Callable[[str], str] = lambda _prompt: "",
    variables: Mapping[str, Any] | None = None,
) -> ToolCallStyle:
    """Return the style in which the model with this chat template calls tools.

    It is the template's own where that can be written and read back; otherwise, or when `named` is
    `fenced`, it is fenced blocks; calls in a known form are then read as well, unless `fenced` is
    named. A model that got a tool's output begins a new reply, whose prompt
    ends in what `reply_prefix` returns for the text before it. `variables` are the template's.
    """
    calls = None
    if template and named != "fenced":
        calls = _probe_template(template, tuple(tools), json.dumps(variables or {}, default=str))
    if calls is None:
        return _fenced_style(tools, named)
    wrappers = {
        tool: replace(wrapper, after=wrapper.after + reply_prefix(wrapper.after))
        for tool, wrapper in calls.wrappers.items()
    }
    in_thought = any(reply_prefix(wrapper.after) for wrapper in calls.wrappers.values())
    leave = calls.call_format.leave_thought if in_thought else ""
    return NativeStyle(tools, calls.call_format, wrappers, leave + calls.call_prefix)


def _fenced_style(tools: Sequence[Tool], named: str | None) -> ToolCallStyle:
    fenced = FencedStyle(tools)
    if named == "fenced":
        return fenced
    return FallbackStyle(NativeStyle(tools, KNOWN_FORMATS[0], {}, ""), fenced)


@lru_cache(maxsize=8)
def _probe_template(template: str, tools: tuple[Tool, ...], variables: str) -> TemplateCalls | None:
    """Probe a template with variables in JSON; the outcome is the same for every question. A
    template that fails or takes too long has none."""
    values = json.loads(variables)

    def probe(render: Callable[..., str]) -> TemplateCalls | None:
        def render_turns(turns: Sequence[Mapping[str, Any]], more: Mapping[str, Any]) -> str:
            try:
                return render(template, {**values, **more}, turns)
            except Exception as error:  # a template is a program: it may raise anything
                raise BadModelFile(f"the model's chat template fails: {error}") from error

        return probe_tool_calls(render_turns, template, tools)

    try:
        return with_renderer(probe)
    except BadModelFile:
        return None
