"""What a chat does when a line starts with `/`."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from reasoner.cli import slash_talk as talk
from reasoner.cli.options import ENGINE_FIELDS
from reasoner.cli.pairs import parse_pairs, parse_value
from reasoner.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from reasoner.cli.chat import Chat

__all__ = ["COMMANDS", "obey"]

WIDE = 80
"""Columns that a command and what it does need side by side."""
GROUPS = ("engine", "strategy_options", "sampling")
Command = Callable[["Chat", str], Awaitable[None]]


async def obey(chat: "Chat", line: str) -> bool:
    """Carry out one command line; False when it was the one that leaves."""
    name, _, rest = line.partition(" ")
    if name in ("/exit", "/quit"):
        return False
    if name not in COMMANDS:
        raise UnknownName("command", name, [*COMMANDS, "/exit"], hint="(/help lists them)")
    await COMMANDS[name][0](chat, rest.strip())
    return True


async def _help(chat: "Chat", _: str) -> None:
    from reasoner.cli.output.terminal import columns

    narrow = (columns(sys.stderr) or WIDE) < WIDE
    rows = [(usage, what) for _action, usage, what in COMMANDS.values()]
    for usage, what in [*rows, ("/exit", "leave (also Ctrl-D)")]:
        chat.say(f"{usage} · {what}" if narrow else f"{usage:<24} {what}")
    chat.say("Alt-Enter starts a new line; Ctrl-C stops an answer; a line that shall")
    chat.say("begin with / as text starts with a space.")


async def _model(chat: "Chat", name: str) -> None:
    if name:
        await chat.change(chat.flags | {"model": name})
        await chat.count()
    chat.say(f"model {chat.settings.model}")


async def _strategy(chat: "Chat", text: str) -> None:
    name, *options = text.split()[:40] or [""]
    if name:
        given = parse_pairs(options, "/strategy NAME", "n=8")
        flags = {key: value for key, value in chat.flags.items() if key != "strategy_options"}
        await chat.change(
            flags | {"strategy": name} | ({"strategy_options": given} if given else {})
        )
    chat.say(f"strategy {chat.settings.strategy} {chat.settings.strategy_options or ''}")


async def _effort(chat: "Chat", level: str) -> None:
    if level:
        await chat.change(chat.flags | {"effort": level})
    chat.say(f"effort {chat.settings.effort}: {chat.settings.limits.budget} tokens of reasoning")


async def _set(chat: "Chat", text: str) -> None:
    key, _, value = text.replace("=", " ", 1).partition(" ")
    if not key:
        _show(chat)
        return
    if not value.strip():
        raise UsageError("/set takes a key and a value, such as /set budget 500")
    await chat.change(_changed(chat.flags, key, _value(value)))
    chat.say(f"{key} {value.strip()}")


def _value(text: str) -> Any:
    return None if text.strip().lower() == "none" else parse_value(text)


def _changed(flags: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The flags with one more; the key may name a setting, or an option of the engine, of the
    strategy or of the sampling."""
    from reasoner.effort import planned
    from reasoner.engine.sampling import Sampling
    from reasoner.settings import Settings
    from reasoner.strategies.registry import find_strategy

    key = {"timeout": "seconds"}.get(key, key.replace("-", "_"))
    plain = [name for name in Settings.model_fields if name not in GROUPS]
    if key == "strategy":  # another strategy takes other options
        flags = {name: item for name, item in flags.items() if name != "strategy_options"}
    if key in plain:
        return flags | {key: value}
    strategy = find_strategy(planned(Settings.load(**flags)).strategy).parameters.model_fields
    groups = {
        "engine": ENGINE_FIELDS,
        "strategy_options": tuple(strategy),
        "sampling": tuple(Sampling.model_fields),
    }
    group = next((name for name, fields in groups.items() if key in fields), None)
    if group is None:
        known = [name for fields in groups.values() for name in fields]
        raise UnknownName("setting", key, [*plain, *known])
    inner = {**flags.get(group, {}), key: value}
    return flags | {group: {name: item for name, item in inner.items() if item is not None}}


def _show(chat: "Chat") -> None:
    for name, value in chat.settings.model_dump(exclude={"engine"}).items():
        chat.say(f"{name:<16} {value}")


COMMANDS: dict[str, tuple[Command, str, str]] = {
    "/help": (_help, "/help", "show this"),
    "/regen": (talk.regen, "/regen", "answer the last question anew"),
    "/undo": (talk.undo, "/undo", "take the last question and its answer back"),
    "/fork": (talk.fork, "/fork", "go on in a copy; the talk so far stays as it is"),
    "/clear": (talk.clear, "/clear", "forget what was said so far"),
    "/compact": (talk.compact, "/compact drop|summarise", "make room: shorten the older half"),
    "/verify": (talk.verify, "/verify [ANSWER]", "check the last answer, or against a known one"),
    "/think": (
        talk.think,
        "/think [WORD]",
        "the last in full; on, off, show, fold, hide, summaries",
    ),
    "/effort": (_effort, "/effort [LEVEL]", "how much to think: low, medium, high, max"),
    "/strategy": (_strategy, "/strategy [NAME K=V …]", "how to search: majority n=8"),
    "/model": (_model, "/model [NAME]", "show or change the model"),
    "/set": (_set, "/set [KEY VALUE]", "show or change settings: think false, budget 500"),
    "/read": (talk.read, "/read FILE", "put a file before the next question"),
    "/edit": (talk.edit, "/edit", "write the next question in $EDITOR"),
    "/save": (talk.save, "/save FILE", "write the talk down, as Markdown or .json"),
    "/copy": (talk.copy, "/copy", "put the last answer on the clipboard"),
    "/tokens": (talk.tokens, "/tokens", "how full the context is, and what the answer took"),
}
