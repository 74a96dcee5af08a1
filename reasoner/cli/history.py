"""`reasoner history`: what was asked and answered; reading it, searching it, deleting it."""

import json as jsonlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reasoner.cli.command import Commands
from reasoner.cli.talk import complete_conversation
from reasoner.errors import UsageError

if TYPE_CHECKING:
    from reasoner.store.history import History
    from reasoner.store.record import Turn

__all__ = ["app"]

app = Commands("List, read, search, export and delete what was asked and answered.")

Id = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="The beginning of a conversation's id; without it, the last one.",
        autocompletion=complete_conversation,
        show_default=False,
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Beginnings of conversations' ids.",
        autocompletion=complete_conversation,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object or list on stdout.")]
Limit = Annotated[int, typer.Option("--limit", "-l", min=1, metavar="N", help="At most so many.")]


def _open() -> "History":
    from reasoner.settings import directories
    from reasoner.store.history import History

    return History(directories().history_file)


@app.command("list")
def list_conversations(limit: Limit = 20, json: Json = False) -> None:
    """List the conversations, the one last added to first."""
    with _open() as history:
        talks = history.conversations(limit)
    if json:
        _print_json([talk.model_dump() for talk in talks])
        return
    for talk in talks:
        turns = f" ({talk.turns} turns)" if talk.turns > 1 else ""
        status = talk.status.replace("_", " ")
        _line(f"{talk.id}  {_when(talk.updated)}  {status:<9}  {talk.title[:200]}{turns}")


@app.command()
def show(
    conversation: Id = None,
    reasoning: Annotated[
        bool, typer.Option("--reasoning", "-r", help="With the thinking.")
    ] = False,
    dropped: Annotated[
        bool, typer.Option("--all", "-a", help="Also turns that were undone or answered anew.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a conversation.

    --json prints everything that is known about each answer.
    """
    with _open() as history:
        found = history.find(conversation)
        turns = history.turns(found, dropped=dropped)
    if json:
        _print_json(_export(found, turns))
    else:
        print(_transcript(turns, reasoning=reasoning), end="")


@app.command()
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORD", help="Words, or their beginnings.", show_default=False),
    ],
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find turns that hold all the words, or words that begin so."""
    from reasoner.errors import NoAnswer

    with _open() as history:
        found = history.search(" ".join(words), limit)
    if json:
        _print_json([turn.model_dump() for turn in found])
    for turn in [] if json else found:
        _line(f"{turn.conversation}  {_when(turn.asked)}  {turn.excerpt}")
    if not found:
        raise NoAnswer("nothing found")


@app.command("rm")
def remove(
    conversations: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="Every conversation.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete conversations, for good."""
    if bool(conversations) == everything:
        raise UsageError("name the conversations to delete, or say --all")
    with _open() as history:
        if everything:
            ids = history.ids()
            _confirm(len(ids), yes)
        else:
            ids = list(dict.fromkeys(history.find(prefix) for prefix in conversations or []))
        history.remove(ids)
    if json:
        _print_json({"removed": ids})
    else:
        print(f"removed {len(ids)} conversation{'' if len(ids) == 1 else 's'}")


def _confirm(count: int, yes: bool) -> None:
    from reasoner.cli.output.terminal import is_terminal

    if yes:
        return
    if not is_terminal(sys.stdin):
        raise UsageError(f"this deletes {count} conversations; say --yes")
    print(f"delete {count} conversations for good? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise typer.Exit(1)


@app.command()
def export(
    conversations: Ids = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="To read, with the thinking; not JSON Lines.")
    ] = False,
) -> None:
    """Print conversations, one JSON object a line.

    All of them, the oldest first, unless some are named.
    """
    with _open() as history:
        named = conversations or history.ids()
        for found in dict.fromkeys(history.find(name) for name in named):
            turns = history.turns(found, dropped=not markdown)
            if markdown:
                print(f"# {found}\n\n{_transcript(turns, reasoning=True)}")
            else:
                print(jsonlib.dumps(_export(found, turns), ensure_ascii=False))


@app.command()
def path(json: Json = False) -> None:
    """Print where the history is kept."""
    from reasoner.settings import directories

    file = str(directories().history_file)
    print(jsonlib.dumps({"path": file}) if json else file)


def _transcript(turns: "list[Turn]", *, reasoning: bool) -> str:
    from reasoner.cli.transcript import transcript

    return "".join(
        transcript(t.question, t.result, t.answer, reasoning=reasoning, undone=t.dropped)
        for t in turns
    )


def _export(conversation: str, turns: "list[Turn]") -> dict[str, Any]:
    return {"id": conversation, "turns": [turn.model_dump(mode="json") for turn in turns]}


def _when(moment: str) -> str:
    """A stored moment in local time."""
    from datetime import datetime

    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def _line(text: str) -> None:
    from reasoner.cli.output.terminal import one_line

    print(one_line(text))


def _print_json(data: Any) -> None:
    print(jsonlib.dumps(data, indent=2, ensure_ascii=False))
