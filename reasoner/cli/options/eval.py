"""The options of `eval`: the problem sets, what is compared, and where the report goes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EvalOptions"]


@dataclass(frozen=True)
class EvalOptions:
    """The problem sets, what is compared, and where the report goes."""

    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA…", help="JSON Lines with question and answer (or tests)."),
    ]
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SETTING=A,B…",
            help="Compare these values, such as effort=low,high; may be repeated for a grid.",
        ),
    ] = None
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", min=1, help="Questions of each file (all), by the seed."),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep records and reports there; goes on if stopped."),
    ] = None
    expect_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The field with the known answer (found).")
    ] = None
    concurrency: Annotated[
        str, typer.Option(metavar="N|auto", help="Questions at work at once.")
    ] = "auto"
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = (
        False
    )
