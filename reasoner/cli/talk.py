"""Which conversation a question belongs to, and what may be kept of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reasoner.errors import UsageError

if TYPE_CHECKING:
    from reasoner.store.record import Turn

__all__ = ["TalkOptions", "complete_conversation"]

TALK = "Conversation"


def complete_conversation(incomplete: str) -> list[str]:
    """The conversations a shell may complete to."""
    try:
        from reasoner.settings import directories
        from reasoner.store.history import History

        with History(directories().history_file) as history:
            found = history.conversations(50)
        return [talk.id for talk in found if talk.id.startswith(incomplete)]
    except Exception:
        return []


@dataclass(frozen=True)
class TalkOptions:
    """What goes on, and what is kept."""

    go_on: Annotated[
        bool,
        typer.Option("--continue", "-c", help="Go on with the last one.", rich_help_panel=TALK),
    ] = False
    cid: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Go on with this one: the beginning of an id of `reasoner history list`.",
            rich_help_panel=TALK,
            autocompletion=complete_conversation,
        ),
    ] = None
    no_history: Annotated[
        bool,
        typer.Option(
            "--no-history", "--no-log", "-n", help="Do not record it.", rich_help_panel=TALK
        ),
    ] = False
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", help="Work it out anew, and keep nothing.", rich_help_panel=TALK
        ),
    ] = False

    def flags(self) -> dict[str, Any]:
        """The fields of `Settings` that were given, and only those."""
        given = {"history": self.no_history, "cache": self.no_cache}
        return {name: False for name, off in given.items() if off}

    def resume(self) -> "tuple[str | None, list[Turn]]":
        """The conversation to go on with and its turns; None and none for a new one."""
        if self.go_on and self.cid is not None:
            raise UsageError("give --continue or --cid, not both")
        if not self.go_on and self.cid is None:
            return None, []
        from reasoner.settings import directories
        from reasoner.store.history import History

        with History(directories().history_file) as history:
            found = history.find(self.cid)
            return found, history.turns(found)
