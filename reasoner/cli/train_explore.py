"""`reasoner train explore`: a policy's own paths with their mistakes mended, to train on next."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from reasoner.cli.data_paths import MIX, shares
from reasoner.cli.train_policy import prepare
from reasoner.errors import Interrupted

__all__ = ["explore"]


def explore(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a trained policy's run.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ],
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="How many problems.")] = 4000,
    mix: Annotated[str, typer.Option(metavar="KIND=SHARE,…", help="Kinds of problems.")] = MIX,
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None,
    temperature: Annotated[
        float, typer.Option(min=0, metavar="T", help="0 takes the likeliest token.")
    ] = 0.7,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed than the data's.")] = 100,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processor threads.")
    ] = None,
) -> None:
    """Let a policy try problems, and mend its mistakes.

    Its wrong turns stay, as often as it takes them, and are followed by the right verdict and a
    backtrack. Train on the output together with the first data: `reasoner train policy`.
    """
    prepare(threads)
    from reasoner.cli.output.progress import StatusLine
    from reasoner.pipelines.paths.stream import Recipe, excluded_keys
    from reasoner.training.expert import write_corrected

    recipe = Recipe(problems=problems, paths=1, seed=seed, mix=shares(mix))
    count = StatusLine(sys.stderr)
    line = "nothing was left to do"

    def show(done: int, solved: float) -> None:
        nonlocal line
        line = f"{done} of {problems} problems · {solved:.1%} solved by the policy itself"
        count.show(line)

    try:
        write_corrected(run, out, recipe, excluded_keys(exclude or []), temperature, show)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; the same command goes on in {out}") from None
    finally:
        count.end()
    print(f"{out}: {line}", file=sys.stderr)
