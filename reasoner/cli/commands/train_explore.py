"""`reasoner train explore`: a policy's own paths with corrected mistakes, to train on next."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reasoner.cli.commands.long_run import long_run
from reasoner.cli.options.problem_mix import DEFAULT_MIX, parse_mix
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.torch_threads import ThreadCount, prepare_torch
from reasoner.datagen.puzzles.stream import PathDataRecipe, excluded_keys

__all__ = ["explore"]


@dataclass(frozen=True)
class ExploreOptions:
    """The policy, the output, and which problems are tried."""

    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a trained policy's run.")
    ]
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ]
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="How many problems.")] = 4000
    mix: Annotated[str, typer.Option(metavar="KIND=SHARE,…", help="Kinds of problems.")] = (
        DEFAULT_MIX
    )
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None
    temperature: Annotated[
        float, typer.Option(min=0, metavar="T", help="0 takes the likeliest token.")
    ] = 0.7
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed than the data's.")] = 100
    threads: ThreadCount = None


@spread_options
def explore(options: ExploreOptions) -> None:
    """Let a policy try problems, and mend its mistakes.

    Its wrong turns stay, as often as it takes them, and are followed by the right verdict and a
    backtrack. Train on the output together with the first data: `reasoner train policy`.
    """
    prepare_torch(options.threads)
    from reasoner.training.expert import write_corrected_paths  # needs the extra `train`

    recipe = PathDataRecipe(
        problems=options.problems, paths=1, seed=options.seed, mix=parse_mix(options.mix)
    )
    excluded = excluded_keys(options.exclude or [])
    line = "nothing was left to do"
    with long_run(f"stopped; the same command goes on in {options.out}") as status_line:

        def show(done: int, solved: float) -> None:
            nonlocal line
            share = f"{solved:.1%} solved by the policy itself"
            line = f"{done} of {options.problems} problems · {share}"
            status_line.show(line)

        write_corrected_paths(options.run, options.out, recipe, excluded, options.temperature, show)
    print(f"{options.out}: {line}", file=sys.stderr)
