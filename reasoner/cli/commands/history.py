"""`reasoner history`: list, read, search, export and delete what was asked and answered."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from reasoner.cli.chat.transcript import transcript
from reasoner.cli.help.commands import Commands
from reasoner.cli.help.completion import complete_conversations
from reasoner.cli.options.json_output import JsonFlag, print_json, print_readable_json
from reasoner.cli.output.terminal import is_terminal, one_line
from reasoner.errors import NoAnswer, UsageError
from reasoner.history.database import History
from reasoner.history.records import HistoryTurn
from reasoner.settings import directories

__all__ = ["app"]

MAX_TITLE_CHARACTERS = 200

app = Commands("List, read, search, export and delete what was asked and answered.")

Id = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="The beginning of a conversation's id; without it, the last one.",
        autocompletion=complete_conversations,
        show_default=False,
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Beginnings of conversations' ids.",
        autocompletion=complete_conversations,
        show_default=False,
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-l", min=1, metavar="N", help="At most so many.")]


def _open_history() -> History:
    return History(directories().history_file)


@app.command("list")
def list_conversations(limit: Limit = 20, json: JsonFlag = False) -> None:
    """List the conversations, the one last added to first."""
    with _open_history() as history:
        summaries = history.conversations(limit)
    if json:
        print_readable_json([summary.model_dump() for summary in summaries])
        return
    for summary in summaries:
        turns = f" ({summary.turns} turns)" if summary.turns > 1 else ""
        status, title = summary.status.replace("_", " "), summary.title[:MAX_TITLE_CHARACTERS]
        updated = _local_time(summary.updated)
        print(one_line(f"{summary.id}  {updated}  {status:<9}  {title}{turns}"))


@app.command()
def show(
    conversation: Id = None,
    reasoning: Annotated[
        bool, typer.Option("--reasoning", "-r", help="With the thinking.")
    ] = False,
    dropped: Annotated[
        bool, typer.Option("--all", "-a", help="Also turns that were undone or answered anew.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Show a conversation.

    --json prints everything that is known about each answer.
    """
    with _open_history() as history:
        conversation_id = history.find_conversation(conversation)
        turns = history.turns(conversation_id, include_dropped=dropped)
    if json:
        print_readable_json(_exported(conversation_id, turns))
    else:
        print(_markdown(turns, reasoning=reasoning), end="")


@app.command()
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORD", help="Words, or their beginnings.", show_default=False),
    ],
    limit: Limit = 20,
    json: JsonFlag = False,
) -> None:
    """Find turns that hold all the words, or words that begin so."""
    with _open_history() as history:
        matches = history.search_turns(" ".join(words), limit)
    if json:
        print_readable_json([match.model_dump() for match in matches])
    for match in [] if json else matches:
        asked = _local_time(match.asked)
        print(one_line(f"{match.conversation}  {asked}  {match.excerpt}"))
    _require_matches(len(matches))


def _require_matches(count: int) -> None:
    if count == 0:
        raise NoAnswer("nothing found")


@app.command("rm")
def remove(
    conversations: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="Every conversation.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonFlag = False,
) -> None:
    """Delete conversations, for good."""
    with _open_history() as history:
        ids = _ids_to_delete(history, conversations or [], everything=everything)
        if everything:
            _confirm(len(ids), yes)
        history.delete_conversations(ids)
    if json:
        print_readable_json({"removed": ids})
    else:
        print(f"removed {len(ids)} conversation{'' if len(ids) == 1 else 's'}")


def _ids_to_delete(history: History, prefixes: list[str], *, everything: bool) -> list[str]:
    if bool(prefixes) == everything:
        raise UsageError("name the conversations to delete, or say --all")
    if everything:
        return history.conversation_ids()
    return list(dict.fromkeys(history.find_conversation(prefix) for prefix in prefixes))


def _confirm(count: int, yes: bool) -> None:
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
    with _open_history() as history:
        prefixes = conversations or history.conversation_ids()
        for conversation_id in dict.fromkeys(
            history.find_conversation(prefix) for prefix in prefixes
        ):
            turns = history.turns(conversation_id, include_dropped=not markdown)
            if markdown:
                print(f"# {conversation_id}\n\n{_markdown(turns, reasoning=True)}")
            else:
                print_json(_exported(conversation_id, turns), ensure_ascii=False)


@app.command()
def path(json: JsonFlag = False) -> None:
    """Print where the history is kept."""
    file = str(directories().history_file)
    if json:
        print_json({"path": file})
    else:
        print(file)


def _markdown(turns: list[HistoryTurn], *, reasoning: bool) -> str:
    return "".join(
        transcript(t.question, t.result, t.answer, reasoning=reasoning, undone=t.dropped)
        for t in turns
    )


def _exported(conversation_id: str, turns: list[HistoryTurn]) -> dict[str, Any]:
    return {"id": conversation_id, "turns": [turn.model_dump(mode="json") for turn in turns]}


def _local_time(moment: str) -> str:
    """Return a stored moment in local time, to the minute."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
