"""The loop of a chat: each line is answered, or carried out as a slash command."""

import asyncio
import sys

from reasoner.cli.chat.asking import ask_with_attachments
from reasoner.cli.chat.reader import open_reader
from reasoner.cli.chat.session import ChatSession
from reasoner.cli.chat.slash import run_slash_command
from reasoner.cli.chat.terminal_modes import terminal_restored
from reasoner.cli.options.conversation import ConversationOptions
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.view import ViewOptions
from reasoner.cli.output.terminal import is_terminal, print_error
from reasoner.errors import Interrupted, ReasonerError
from reasoner.settings import directories

__all__ = ["run_chat"]


def run_chat(run: RunOptions, view: ViewOptions, options: ConversationOptions) -> None:
    """Chat until the user leaves. Raises ReasonerError when the chat cannot start, and Interrupted
    when SIGTERM or SIGHUP came while an answer was given."""
    chat = ChatSession(run.flags() | options.flags(), view, options)
    chat.reader = open_reader(directories().data, chat.meter)
    with terminal_restored():
        asyncio.run(_converse(chat))


async def _converse(chat: ChatSession) -> None:
    await chat.open()
    try:
        _greet(chat)
        while (line := await chat.reader.read()) is not None:
            if not await _take_turn(chat, line):
                break
            if chat.is_terminated:
                raise Interrupted("interrupted; the history has what there was")
    finally:
        await chat.close()


def _greet(chat: ChatSession) -> None:
    if is_terminal(sys.stdin):
        chat.say(f"{chat.settings.model} · /help for commands, Ctrl-D to leave")
    if turns := len(chat.conversation.exchanges):
        conversation_id = chat.conversation.recorder.conversation
        chat.say(f"going on with {conversation_id}, {turns} turn{'s' * (turns > 1)}")


async def _take_turn(chat: ChatSession, line: str) -> bool:
    """Answer a line or carry out its command; return False when the user leaves.

    An error ends the turn only.
    """
    try:
        if line.startswith("/"):
            return await run_slash_command(chat, line)
        if line.strip():
            await ask_with_attachments(chat, line.strip())
    except ReasonerError as error:
        print_error(str(error))
    return True
