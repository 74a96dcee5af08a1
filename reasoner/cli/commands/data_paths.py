"""`reasoner data paths`: reasoning paths through problems that a program can check."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reasoner.cli.commands.long_run import long_run
from reasoner.cli.options.problem_mix import DEFAULT_MIX, parse_mix
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.validation import validated_options
from reasoner.datagen.puzzles.stream import PathDataRecipe, excluded_keys, write_path_records

__all__ = ["paths"]


@dataclass(frozen=True)
class PathOptions:
    """The output, and which problems it has."""

    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ]
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="How many problems.")] = 10_000
    paths: Annotated[int, typer.Option(min=1, metavar="N", help="Paths of each.")] = 5
    mix: Annotated[
        str, typer.Option(metavar="KIND=SHARE,…", help="Which kinds of problems, how many of each.")
    ] = DEFAULT_MIX
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Leave out the problems of this file (numbers and target a line)."
        ),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the whole file.")] = 0


@spread_options
def paths(options: PathOptions) -> None:
    """Make paths of thought, with backtracks, through problems.

    A graph of partial solutions is built for each problem, and paths are sampled from it. The
    output is JSON Lines: a question, a reply in Steiner's grammar, and what is known of each step.
    Everything that is done is on disk: the same command goes on after Ctrl-C or a crash.
    """
    recipe = _recipe(options)
    excluded = excluded_keys(options.exclude or [])
    start_seconds = time.monotonic()
    with long_run(f"stopped; the same command goes on in {options.out}") as status_line:

        def show(done: int) -> None:
            status_line.show(f"{done} of {options.problems} problems")

        added = write_path_records(options.out, recipe, excluded, show)
    seconds = time.monotonic() - start_seconds
    print(
        f"{options.problems * options.paths} paths of {options.problems} problems "
        f"in {options.out}; {added} problems added in {seconds:.0f} s",
        file=sys.stderr,
    )


def _recipe(options: PathOptions) -> PathDataRecipe:
    with validated_options():
        return PathDataRecipe(
            problems=options.problems,
            paths=options.paths,
            seed=options.seed,
            mix=parse_mix(options.mix),
        )
