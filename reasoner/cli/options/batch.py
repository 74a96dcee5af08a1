"""The options of `batch`: the items, the output, and how many questions are answered at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["BatchOptions"]


@dataclass(frozen=True)
class BatchOptions:
    """The items, the output, and how many questions are answered at once."""

    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JSON Lines, a JSON array, or a table (.csv, .tsv); - is stdin.",
        ),
    ] = Path("-")
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write there; what is there already is not repeated."),
    ] = None
    form: Annotated[
        Literal["jsonl", "csv", "tsv"] | None,
        typer.Option("--format", help="The input's format (default: by the file's name)."),
    ] = None
    expect_field: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The field with the known answer; scores the run."),
    ] = None
    concurrency: Annotated[
        str, typer.Option(metavar="N|auto", help="Questions at work at once.")
    ] = "auto"
    as_finished: Annotated[
        bool, typer.Option("--as-finished", help="Write in the order of finishing, not of input.")
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = (
        False
    )
