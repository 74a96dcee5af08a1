"""The slash commands of a chat: the table of them, and carrying one out."""

import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from reasoner.cli.chat import slash_conversation, slash_files, slash_settings
from reasoner.cli.chat.session import ChatSession
from reasoner.cli.output.terminal import columns
from reasoner.errors import UnknownName

__all__ = ["SLASH_COMMANDS", "SlashCommand", "run_slash_command"]

MIN_TABLE_COLUMNS = 80
"""Terminal width that a command and its description need side by side."""
LEAVING = ("/exit", "/quit")


class SlashCommand(NamedTuple):
    """A command of the chat: its action on the text after its name, its usage and its help."""

    action: Callable[[ChatSession, str], Awaitable[None]]
    usage: str
    help: str


async def run_slash_command(chat: ChatSession, line: str) -> bool:
    """Carry out one command line; return False for the command that leaves the chat.

    Raises UnknownName for no such command, and the ReasonerError of the command that fails.
    """
    name, _, argument = line.partition(" ")
    if name in LEAVING:
        return False
    if name not in SLASH_COMMANDS:
        raise UnknownName("command", name, [*SLASH_COMMANDS, "/exit"], hint="(/help lists them)")
    await SLASH_COMMANDS[name].action(chat, argument.strip())
    return True


async def _show_help(chat: ChatSession, _: str) -> None:
    narrow = (columns(sys.stderr) or MIN_TABLE_COLUMNS) < MIN_TABLE_COLUMNS
    rows = [(command.usage, command.help) for command in SLASH_COMMANDS.values()]
    for usage, text in [*rows, ("/exit", "leave (also Ctrl-D)")]:
        chat.say(f"{usage} · {text}" if narrow else f"{usage:<24} {text}")
    chat.say("Alt-Enter starts a new line; Ctrl-C stops an answer; a line that shall")
    chat.say("begin with / as text starts with a space.")


SLASH_COMMANDS = {
    "/help": SlashCommand(_show_help, "/help", "show this"),
    "/regen": SlashCommand(
        slash_conversation.regenerate, "/regen", "answer the last question anew"
    ),
    "/undo": SlashCommand(
        slash_conversation.undo, "/undo", "take the last question and its answer back"
    ),
    "/fork": SlashCommand(
        slash_conversation.fork, "/fork", "go on in a copy; the talk so far stays as it is"
    ),
    "/clear": SlashCommand(slash_conversation.clear, "/clear", "forget what was said so far"),
    "/compact": SlashCommand(
        slash_conversation.compact,
        "/compact drop|summarise",
        "make room: shorten the older half",
    ),
    "/verify": SlashCommand(
        slash_conversation.verify,
        "/verify [ANSWER]",
        "check the last answer, or against a known one",
    ),
    "/think": SlashCommand(
        slash_settings.set_thinking,
        "/think [WORD]",
        "the last in full; on, off, show, fold, hide, summaries",
    ),
    "/effort": SlashCommand(
        slash_settings.set_effort, "/effort [LEVEL]", "how much to think: low, medium, high, max"
    ),
    "/strategy": SlashCommand(
        slash_settings.set_strategy, "/strategy [NAME K=V …]", "how to search: majority n=8"
    ),
    "/model": SlashCommand(slash_settings.set_model, "/model [NAME]", "show or change the model"),
    "/set": SlashCommand(
        slash_settings.set_option,
        "/set [KEY VALUE]",
        "show or change settings: think false, budget 500",
    ),
    "/read": SlashCommand(
        slash_files.attach_file, "/read FILE", "put a file before the next question"
    ),
    "/edit": SlashCommand(slash_files.edit_question, "/edit", "write the next question in $EDITOR"),
    "/save": SlashCommand(
        slash_files.save_conversation,
        "/save FILE",
        "write the talk down, as Markdown or .json",
    ),
    "/copy": SlashCommand(slash_files.copy_answer, "/copy", "put the last answer on the clipboard"),
    "/tokens": SlashCommand(
        slash_conversation.show_tokens,
        "/tokens",
        "how full the context is, and what the answer took",
    ),
}
