"""The commands of a chat that are about what was said."""

import sys
from typing import TYPE_CHECKING

from reasoner.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from reasoner.cli.chat import Chat

__all__ = [
    "clear",
    "compact",
    "copy",
    "edit",
    "fork",
    "read",
    "regen",
    "save",
    "think",
    "tokens",
    "undo",
    "verify",
]

MOST_COPIED = 100_000
"""Bytes that terminals take for their clipboard."""
THINKING = {"on": True, "off": False}
SHOWING = {"show": "all", "fold": "fold", "hide": "hide"}


async def regen(chat: "Chat", _: str) -> None:
    gone = chat.talk.undo()
    await chat.ask(gone.problem.question, gone.attempt + 1)


async def undo(chat: "Chat", _: str) -> None:
    gone = chat.talk.undo()
    await chat.count()
    chat.say(f"taken back: {gone.problem.question}")


async def fork(chat: "Chat", _: str) -> None:
    before = chat.talk.fork()
    chat.say(f"going on in {chat.talk.recorder.conversation}; {before} stays as it is")


async def clear(chat: "Chat", _: str) -> None:
    chat.talk.clear()
    await chat.count()
    chat.say("forgotten what was said so far")


async def compact(chat: "Chat", how: str) -> None:
    from reasoner.cli.overflow import compact

    await compact(chat, how)


async def verify(chat: "Chat", expect: str) -> None:
    last = chat.talk.last
    if last.result is None:
        raise UsageError("what is known about this answer can no longer be read")
    problem = last.problem.model_copy(update={"expect": expect} if expect else {})
    verdicts = await chat.solver.check(problem, last.result)
    for verdict in verdicts:
        chat.say(f"{verdict.outcome:<8} {verdict.verifier}: {verdict.reason}")
    if not verdicts:
        chat.say("no check has anything to say about it")


async def think(chat: "Chat", word: str) -> None:
    if not word:
        _open(chat)
    elif word in THINKING:
        await chat.change(chat.flags | {"think": THINKING[word]})
        chat.say(f"thinking {word}")
    elif word in SHOWING:
        chat.thoughts = SHOWING[word]
        chat.say(f"thinking: {word}")
    elif word == "summaries":
        chat.summaries = not chat.summaries
        kept = "the summaries of steps" if chat.summaries else "nothing of the thinking"
        chat.say(f"later turns see {kept}")
    else:
        raise UsageError("/think, or /think on, off, show, fold, hide or summaries")


def _open(chat: "Chat") -> None:
    """The last reasoning in full."""
    from reasoner.cli.output.terminal import clean

    result = chat.talk.last.result
    if result is None or not result.reasoning:
        raise UsageError("there was no thinking")
    for number, step in enumerate(result.reasoning, 1):
        print(f"{number:>3} {clean(step.text).strip()}\n", file=sys.stderr, flush=True)


async def read(chat: "Chat", name: str) -> None:
    from reasoner.cli.question import read_file

    if not name:
        raise UsageError("/read takes a file")
    text = read_file(_path(name)).strip("\r\n")
    used = chat.solver.measure(chat.problem("\n\n".join([*chat.attached, text])), chat.settings)
    chat.attached.append(text)
    chat.say(f"{name} goes with the next question: {used} of {chat.solver.n_ctx} tokens")


async def edit(chat: "Chat", _: str) -> None:
    from reasoner.cli.output.terminal import is_terminal

    if not is_terminal(sys.stdin):
        raise UsageError("/edit needs a terminal")
    question = _edited().strip()
    if not question:
        raise UsageError("nothing was written")
    chat.say(question)
    attached, chat.attached = chat.attached, []
    await chat.ask("\n\n".join([*attached, question]))


def _edited() -> str:
    """What the user writes in an editor of his choice."""
    import os
    import shlex
    import subprocess
    import tempfile
    from pathlib import Path

    from reasoner.cli.question import read_file

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="reasoner-") as folder:
        file = Path(folder, "question.md")
        file.touch(0o600)
        try:
            subprocess.run([*shlex.split(editor), str(file)], check=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot run {editor}: {error}; set EDITOR") from error
        return read_file(file)


async def save(chat: "Chat", name: str) -> None:
    if not name:
        raise UsageError("/save takes a file, such as talk.md")
    _write(name, _saved(chat, as_json=name.endswith(".json")))
    said = len(chat.talk.exchanges)
    chat.say(f"saved {said} turn{'s' * (said != 1)} in {name}")


def _write(name: str, text: str) -> None:
    try:
        with _path(name).open("x", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{name} exists; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {name}: {error.strerror}") from error


def _path(name: str) -> "Path":
    import os
    from pathlib import Path

    return Path(os.path.expanduser(name))  # unlike Path's own it bears any string


def _saved(chat: "Chat", *, as_json: bool) -> str:
    import json

    from reasoner.cli.transcript import transcript

    if not as_json:
        return "".join(
            transcript(e.problem.question, e.result, e.answer, reasoning=True)
            for e in chat.talk.exchanges
        )
    turns = [
        {"question": e.problem.question, "answer": e.answer}
        | {"result": e.result.model_dump(mode="json") if e.result else None}
        for e in chat.talk.exchanges
    ]
    return json.dumps({"system": chat.system, "turns": turns}, indent=2, ensure_ascii=False) + "\n"


async def copy(chat: "Chat", _: str) -> None:
    """By the terminal's own clipboard (OSC 52), which also works from afar."""
    from base64 import b64encode

    from reasoner.cli.output.terminal import is_terminal

    answer = chat.talk.last.answer.strip().encode(errors="replace")
    if not is_terminal(sys.stderr):
        raise UsageError("/copy needs a terminal")
    if len(answer) > MOST_COPIED:
        raise UsageError("the answer is too long for a clipboard; /save writes it to a file")
    print(f"\x1b]52;c;{b64encode(answer).decode()}\x07", end="", file=sys.stderr, flush=True)
    chat.say(f"{len(answer)} bytes handed to the terminal's clipboard")


async def tokens(chat: "Chat", _: str) -> None:
    from reasoner.cli.output.sentences import usage_line

    used = chat.solver.measure(chat.problem(""), chat.settings)
    size = chat.solver.n_ctx
    chat.say(f"the talk takes {used} of {size} tokens ({used / size:.0%})")
    if chat.talk.exchanges and (result := chat.talk.last.result) is not None:
        chat.say(f"the last answer: {usage_line(result)}")
