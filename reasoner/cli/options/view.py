"""The options of `ask` and `chat` that choose what is shown."""

from dataclasses import dataclass
from typing import Annotated

import typer

__all__ = ["ViewOptions"]

OUTPUT_PANEL = "Output"


@dataclass(frozen=True)
class ViewOptions:
    """What is shown of the reasoning, the search and the answer, and in which form."""

    show_reasoning: Annotated[
        bool | None,
        typer.Option(
            "--show-reasoning/--hide-reasoning",
            " /-R",
            help="Show the thinking on stderr (default: at a terminal only).",
            show_default=False,
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Show the search as a tree while it grows, on stderr.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = False
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Nothing on stderr but errors.", rich_help_panel=OUTPUT_PANEL
        ),
    ] = False
    usage: Annotated[
        bool,
        typer.Option(
            "--usage", "-u", help="Tokens and time on stderr.", rich_help_panel=OUTPUT_PANEL
        ),
    ] = False
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Do not render Markdown.", rich_help_panel=OUTPUT_PANEL),
    ] = False
    no_color: Annotated[
        bool,
        typer.Option(
            "--no-color", help="No colours (also NO_COLOR=1).", rich_help_panel=OUTPUT_PANEL
        ),
    ] = False
