"""`reasoner data paths`: paths of thought through problems a program can check."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from reasoner.errors import Interrupted, UnknownName, UsageError

__all__ = ["MIX", "paths", "shares"]

MIX = "countdown3=9, countdown4=4, make24=5, arithmetic=1, equation=1"


def paths(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ],
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="How many problems.")] = 10_000,
    paths: Annotated[int, typer.Option(min=1, metavar="N", help="Paths of each.")] = 5,
    mix: Annotated[
        str, typer.Option(metavar="KIND=SHARE,…", help="Which kinds of problems, how many of each.")
    ] = MIX,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Leave out the problems of this file (numbers and target a line)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the whole file.")] = 0,
) -> None:
    """Make paths of thought, with backtracks, through problems.

    A graph of partial solutions is built for each problem, and paths are sampled from it. The
    output is JSON Lines: a question, a reply in Steiner's grammar, and what is known of each step.
    Everything that is done is on disk: the same command goes on after Ctrl-C or a crash.
    """
    from pydantic import ValidationError

    from reasoner.cli.output.progress import StatusLine
    from reasoner.pipelines.paths.stream import Recipe, excluded_keys, stream
    from reasoner.settings import explain

    try:
        recipe = Recipe(problems=problems, paths=paths, seed=seed, mix=shares(mix))
    except ValidationError as error:
        raise UsageError(f"bad option: {explain(error)}") from error
    count = StatusLine(sys.stderr)
    began = time.monotonic()
    try:
        added = stream(
            out,
            recipe,
            excluded_keys(exclude or []),
            lambda done: count.show(f"{done} of {problems} problems"),
        )
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; the same command goes on in {out}") from None
    finally:
        count.end()
    print(
        f"{problems * paths} paths of {problems} problems in {out}; "
        f"{added} problems added in {time.monotonic() - began:.0f} s",
        file=sys.stderr,
    )


def shares(text: str) -> dict[str, float]:
    """`a=1,b=2` as shares. Raises UsageError for what is no known kind or no number."""
    from reasoner.pipelines.paths.record import KINDS

    found = {}
    for part in text.split(","):
        kind, _, share = part.strip().partition("=")
        if kind not in KINDS:
            raise UnknownName("kind of problem", kind, KINDS)
        try:
            found[kind] = float(share or 1)
        except ValueError:
            raise UsageError(f"--mix {part}: '{share}' is no number") from None
    return found
