"""Arguments for a model's chat template, and the names by which templates switch thinking."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, JsonValue

__all__ = [
    "BUDGET_ARGUMENTS",
    "EFFORTS_WITHOUT_THINKING",
    "EFFORT_ARGUMENTS",
    "THINKING_ARGUMENTS",
    "TemplateArguments",
    "stated_thinking",
]

MAX_ARGUMENTS = 32
MAX_ARGUMENT_CHARS = 64 * 1024
"""Characters of all arguments together, as JSON."""
NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
RESERVED_NAMES = {
    *("messages", "tools", "add_generation_prompt", "continue_final_message"),
    *("bos_token", "eos_token", "raise_exception", "strftime_now"),
    *("namespace", "range", "dict", "cycler", "joiner", "self", "loop", "caller"),
}
"""Variables and functions that templates get from the program."""

_BOOLEAN = ((True, False), ("on", "off"))
_REVERSED = ((False, True),)
_WORDS = (
    ("on", "off"),
    ("enabled", "disabled"),
    ("thinking", "chat"),
    ("thinking", "non_thinking"),
    ("think", "no_think"),
    ("reasoning", "chat"),
    (True, False),
)
THINKING_ARGUMENTS: Mapping[str, tuple[tuple[Any, Any], ...]] = {
    "enable_thinking": _BOOLEAN,
    "thinking": _BOOLEAN,
    "enable_reasoning": _BOOLEAN,
    "reasoning": _BOOLEAN,
    "think": _BOOLEAN,
    "use_thinking": _BOOLEAN,
    "thinking_enabled": _BOOLEAN,
    "reasoning_enabled": _BOOLEAN,
    "disable_thinking": _REVERSED,
    "disable_reasoning": _REVERSED,
    "no_think": _REVERSED,
    "no_thinking": _REVERSED,
    "skip_thinking": _REVERSED,
    "thinking_mode": _WORDS,
    "reasoning_mode": _WORDS,
    "thinking_option": _WORDS,
}
"""Variables that turn thinking on and off, with the values that do."""
EFFORT_ARGUMENTS = ("reasoning_effort", "thinking_effort")
EFFORTS_WITHOUT_THINKING = ("none", "no_think", "off", "disabled")
BUDGET_ARGUMENTS = ("thinking_budget", "reasoning_budget", "thinking_token_budget")


def _check_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    if len(arguments) > MAX_ARGUMENTS:
        raise ValueError(f"at most {MAX_ARGUMENTS} arguments for a chat template")
    for name in arguments:
        if not NAME_PATTERN.fullmatch(name):
            raise ValueError(f"'{name[:80]}' is no name of a template's variable")
        if name in RESERVED_NAMES:
            raise ValueError(f"'{name}' is set by the program; leave it out")
    try:
        size = len(json.dumps(arguments))
    except RecursionError:
        raise ValueError("an argument is nested too deeply") from None
    if size > MAX_ARGUMENT_CHARS:
        raise ValueError(f"the arguments are longer than {MAX_ARGUMENT_CHARS // 1024} KB")
    return arguments


TemplateArguments = Annotated[dict[str, JsonValue], AfterValidator(_check_arguments)]
"""Variables for a chat template by name: JSON values, within limits of number and size."""


def stated_thinking(arguments: Mapping[str, Any]) -> bool | None:
    """Whether arguments turn thinking on or off; None when they say nothing about it."""
    for name, pairs in THINKING_ARGUMENTS.items():
        for on, off in pairs if name in arguments else ():
            if _is_same(arguments[name], on) or _is_same(arguments[name], off):
                return _is_same(arguments[name], on)
    for name in (*EFFORT_ARGUMENTS, *BUDGET_ARGUMENTS):
        if name in arguments and name in BUDGET_ARGUMENTS and _is_same(arguments[name], 0):
            return False
        if arguments.get(name) in EFFORTS_WITHOUT_THINKING:
            return False
    return None


def _is_same(value: Any, other: Any) -> bool:
    """Whether two values are equal and of one type: 0 is a number of tokens, false is not."""
    return type(value) is type(other) and bool(value == other)
