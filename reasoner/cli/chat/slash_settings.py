"""The slash commands that show and change the settings of a chat."""

import sys
from typing import Any

from reasoner.cli.chat.session import ChatSession
from reasoner.cli.options.engine import ENGINE_FIELDS
from reasoner.cli.options.pairs import parse_pairs, parse_value
from reasoner.cli.output.terminal import without_controls
from reasoner.effort import resolve_effort
from reasoner.engine.sampling import Sampling
from reasoner.errors import UnknownName, UsageError
from reasoner.search.strategies.registry import find_strategy
from reasoner.settings import Settings

__all__ = ["set_effort", "set_model", "set_option", "set_strategy", "set_thinking"]

GROUP_FIELDS = ("engine", "strategy_options", "sampling")
"""The fields of `Settings` that are groups of options; their members have names of their own."""
THINK_WORDS = {"on": True, "off": False}
DISPLAY_WORDS = {"show": "all", "fold": "fold", "hide": "hide"}
MAX_STRATEGY_WORDS = 40


async def set_model(chat: ChatSession, name: str) -> None:
    """Change the model if one is named, and show which it is."""
    if name:
        await chat.change(chat.flags | {"model": name})
        await chat.prefill_conversation()
    chat.say(f"model {chat.settings.model}")


async def set_strategy(chat: ChatSession, text: str) -> None:
    """Change the strategy and its options (`NAME KEY=VALUE …`) if named, and show them."""
    name, *pairs = text.split()[:MAX_STRATEGY_WORDS] or [""]
    if name:
        options = parse_pairs(pairs, "/strategy NAME", "n=8")
        flags = _without_strategy_options(chat.flags) | {"strategy": name}
        await chat.change(flags | ({"strategy_options": options} if options else {}))
    chat.say(f"strategy {chat.settings.strategy} {chat.settings.strategy_options or ''}")


async def set_effort(chat: ChatSession, level: str) -> None:
    """Change the effort if a level is named, and show it with its token budget."""
    if level:
        await chat.change(chat.flags | {"effort": level})
    chat.say(f"effort {chat.settings.effort}: {chat.settings.limits.budget} tokens of reasoning")


async def set_thinking(chat: ChatSession, word: str) -> None:
    """Show the last reasoning in full, or change whether and how reasoning is done and shown.

    Raises UsageError for an unknown word, and when there is no reasoning to show.
    """
    if not word:
        _show_reasoning(chat)
    elif word in THINK_WORDS:
        await chat.change(chat.flags | {"think": THINK_WORDS[word]})
        chat.say(f"thinking {word}")
    elif word in DISPLAY_WORDS:
        chat.thoughts = DISPLAY_WORDS[word]
        chat.say(f"thinking: {word}")
    elif word == "summaries":
        chat.summaries = not chat.summaries
        shown = "the summaries of steps" if chat.summaries else "nothing of the thinking"
        chat.say(f"later turns see {shown}")
    else:
        raise UsageError("/think, or /think on, off, show, fold, hide or summaries")


def _show_reasoning(chat: ChatSession) -> None:
    result = chat.conversation.last.result
    if result is None or not result.reasoning:
        raise UsageError("there was no thinking")
    for number, step in enumerate(result.reasoning, 1):
        print(f"{number:>3} {without_controls(step.text).strip()}\n", file=sys.stderr, flush=True)


async def set_option(chat: ChatSession, text: str) -> None:
    """Change one setting (`KEY VALUE` or `KEY=VALUE`), or show all of them.

    Raises UsageError for a missing or bad value, UnknownName for no such key.
    """
    key, _, value = text.replace("=", " ", 1).partition(" ")
    if not key:
        _show_settings(chat)
        return
    if not value.strip():
        raise UsageError("/set takes a key and a value, such as /set budget 500")
    await chat.change(_changed_flags(chat.flags, key, _parse_setting(value)))
    chat.say(f"{key} {value.strip()}")


def _parse_setting(text: str) -> Any:
    return None if text.strip().lower() == "none" else parse_value(text)


def _changed_flags(flags: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return the flags with `key` set.

    The key names a field of `Settings`, or an option of the engine, strategy or sampling.
    """
    key = {"timeout": "seconds"}.get(key, key.replace("-", "_"))
    plain_fields = [name for name in Settings.model_fields if name not in GROUP_FIELDS]
    if key == "strategy":  # another strategy takes other options
        flags = _without_strategy_options(flags)
    if key in plain_fields:
        return flags | {key: value}
    groups = _group_options(flags)
    group = next((name for name, options in groups.items() if key in options), None)
    if group is None:
        options = [name for options in groups.values() for name in options]
        raise UnknownName("setting", key, [*plain_fields, *options])
    members = {**flags.get(group, {}), key: value}
    return flags | {group: {name: item for name, item in members.items() if item is not None}}


def _group_options(flags: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of the options of the engine, of the strategy in force, of the sampling."""
    strategy = find_strategy(resolve_effort(Settings.load(**flags)).strategy)
    return {
        "engine": ENGINE_FIELDS,
        "strategy_options": tuple(strategy.parameters.model_fields),
        "sampling": tuple(Sampling.model_fields),
    }


def _without_strategy_options(flags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if name != "strategy_options"}


def _show_settings(chat: ChatSession) -> None:
    for name, value in chat.settings.model_dump(exclude={"engine"}).items():
        chat.say(f"{name:<16} {value}")
