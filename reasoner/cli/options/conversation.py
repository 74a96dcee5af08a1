"""The options that say which conversation a question belongs to and what is kept of it."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from reasoner.cli.help.completion import complete_conversations

__all__ = ["ConversationOptions"]

CONVERSATION_PANEL = "Conversation"


@dataclass(frozen=True)
class ConversationOptions:
    """Which conversation a question continues, and whether it is recorded and cached."""

    continue_last: Annotated[
        bool,
        typer.Option(
            "--continue", "-c", help="Go on with the last one.", rich_help_panel=CONVERSATION_PANEL
        ),
    ] = False
    cid: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Go on with this one: the beginning of an id of `reasoner history list`.",
            rich_help_panel=CONVERSATION_PANEL,
            autocompletion=complete_conversations,
        ),
    ] = None
    no_history: Annotated[
        bool,
        typer.Option(
            "--no-history",
            "--no-log",
            "-n",
            help="Do not record it.",
            rich_help_panel=CONVERSATION_PANEL,
        ),
    ] = False
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache",
            help="Work it out anew, and keep nothing.",
            rich_help_panel=CONVERSATION_PANEL,
        ),
    ] = False

    def flags(self) -> dict[str, Any]:
        """Return the fields of `Settings` that were given."""
        switched_off = {"history": self.no_history, "cache": self.no_cache}
        return {name: False for name, off in switched_off.items() if off}
