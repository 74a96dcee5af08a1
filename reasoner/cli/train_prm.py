"""`reasoner train prm`: a small process reward model from a policy's own rollouts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from reasoner.cli.data_paths import shares
from reasoner.cli.train_policy import prepare
from reasoner.errors import Interrupted

__all__ = ["prm"]

MIX = "countdown3=4,countdown4=2,make24=4"


def prm(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a trained policy's run.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The GGUF to write.")],
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="Replies to label.")] = 3000,
    continuations: Annotated[
        int, typer.Option(min=1, max=32, metavar="N", help="Drawn from after each step.")
    ] = 4,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of training.")] = 800,
    rate: Annotated[float, typer.Option(metavar="R", help="Learning rate.")] = 1e-3,
    mix: Annotated[str, typer.Option(metavar="KIND=SHARE,…", help="Kinds of problems.")] = MIX,
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed than the data's.")] = 200,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processor threads.")
    ] = None,
) -> None:
    """Train a small process reward model from a policy.

    Each step of its replies is labelled by how often it ends right from there. The labels are kept
    beside the output (.labels.jsonl) and gone on with. The value format is `steiner-mini`.
    """
    prepare(threads)
    from reasoner.cli.output.progress import StatusLine
    from reasoner.pipelines.paths.stream import Recipe, excluded_keys
    from reasoner.training.labels import write_labels
    from reasoner.training.prm import train_prm

    recipe = Recipe(problems=problems, paths=1, seed=seed, mix=shares(mix))
    labels = out.with_suffix(".labels.jsonl")
    left_out = excluded_keys(exclude or [])
    count = StatusLine(sys.stderr)

    def show(done: int) -> None:
        count.show(f"{done} of {problems} replies labelled")

    try:
        write_labels(run, labels, recipe, left_out, continuations, show)
        order = train_prm(run, labels, out, steps, rate, seed, count.show)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; the labels so far are in {labels}") from None
    finally:
        count.end()
    print(f"{out}: {order:.1%} of held-out pairs of steps in the right order", file=sys.stderr)
