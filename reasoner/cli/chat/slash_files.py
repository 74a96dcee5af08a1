"""The slash commands that read and write files, the user's editor and the clipboard."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from reasoner.cli.chat.asking import ask_with_attachments
from reasoner.cli.chat.session import ChatSession
from reasoner.cli.chat.transcript import transcript
from reasoner.cli.options.question import read_text_file
from reasoner.cli.output.terminal import is_terminal
from reasoner.errors import UsageError

__all__ = ["attach_file", "copy_answer", "edit_question", "save_conversation"]

MAX_CLIPBOARD_BYTES = 100_000
"""What terminals accept for their clipboard."""
DEFAULT_EDITOR = "vi"


async def attach_file(chat: ChatSession, name: str) -> None:
    """Put the text of a file before the next question.

    Raises UsageError without a name, and when the file cannot be read as text.
    """
    if not name:
        raise UsageError("/read takes a file")
    text = read_text_file(_expanded(name)).strip("\r\n")
    problem = chat.problem("\n\n".join([*chat.attached, text]))
    used = chat.solver.count_prompt_tokens(problem, chat.settings)
    chat.attached.append(text)
    chat.say(f"{name} goes with the next question: {used} of {chat.solver.n_ctx} tokens")


async def edit_question(chat: ChatSession, _: str) -> None:
    """Let the user write the next question in an editor, and answer it.

    Raises UsageError without a terminal, without a text, and when the editor cannot be run.
    """
    if not is_terminal(sys.stdin):
        raise UsageError("/edit needs a terminal")
    question = _text_from_editor().strip()
    if not question:
        raise UsageError("nothing was written")
    chat.say(question)
    await ask_with_attachments(chat, question)


def _text_from_editor() -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT_EDITOR
    with tempfile.TemporaryDirectory(prefix="reasoner-") as folder:
        file = Path(folder, "question.md")
        file.touch(0o600)
        try:
            subprocess.run([*shlex.split(editor), str(file)], check=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot run {editor}: {error}; set EDITOR") from error
        return read_text_file(file)


async def save_conversation(chat: ChatSession, name: str) -> None:
    """Write the conversation to a new file, as JSON if its name ends so, otherwise as Markdown.

    Raises UsageError without a name, and when the file exists or cannot be written.
    """
    if not name:
        raise UsageError("/save takes a file, such as talk.md")
    _write_new_file(name, _json_text(chat) if name.endswith(".json") else _markdown_text(chat))
    turns = len(chat.conversation.exchanges)
    chat.say(f"saved {turns} turn{'s' * (turns != 1)} in {name}")


def _write_new_file(name: str, text: str) -> None:
    try:
        with _expanded(name).open("x", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{name} exists; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {name}: {error.strerror}") from error


def _expanded(name: str) -> Path:
    return Path(os.path.expanduser(name))  # Path.expanduser raises for an unknown user


def _markdown_text(chat: ChatSession) -> str:
    return "".join(
        transcript(e.problem.question, e.result, e.answer, reasoning=True)
        for e in chat.conversation.exchanges
    )


def _json_text(chat: ChatSession) -> str:
    turns = [
        {"question": e.problem.question, "answer": e.answer}
        | {"result": e.result.model_dump(mode="json") if e.result else None}
        for e in chat.conversation.exchanges
    ]
    return json.dumps({"system": chat.system, "turns": turns}, indent=2, ensure_ascii=False) + "\n"


async def copy_answer(chat: ChatSession, _: str) -> None:
    """Copy the last answer with the terminal's clipboard sequence (OSC 52), also over SSH.

    Raises UsageError without a terminal or an answer, and when the answer is too long.
    """
    answer = chat.conversation.last.answer.strip().encode(errors="replace")
    if not is_terminal(sys.stderr):
        raise UsageError("/copy needs a terminal")
    if len(answer) > MAX_CLIPBOARD_BYTES:
        raise UsageError("the answer is too long for a clipboard; /save writes it to a file")
    print(f"\x1b]52;c;{b64encode(answer).decode()}\x07", end="", file=sys.stderr, flush=True)
    chat.say(f"{len(answer)} bytes handed to the terminal's clipboard")
