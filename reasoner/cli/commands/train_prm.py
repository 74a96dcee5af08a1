"""`reasoner train prm`: a small process reward model from a policy's own rollouts."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reasoner.cli.commands.long_run import long_run
from reasoner.cli.options.problem_mix import parse_mix
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.torch_threads import ThreadCount, prepare_torch
from reasoner.datagen.puzzles.stream import PathDataRecipe, excluded_keys

__all__ = ["prm"]

DEFAULT_PRM_MIX = "countdown3=4,countdown4=2,make24=4"


@dataclass(frozen=True)
class PrmOptions:
    """The policy, the output, and how its replies are labelled."""

    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a trained policy's run.")
    ]
    out: Annotated[Path, typer.Option(metavar="FILE", help="The GGUF to write.")]
    problems: Annotated[int, typer.Option(min=1, metavar="N", help="Replies to label.")] = 3000
    continuations: Annotated[
        int, typer.Option(min=1, max=32, metavar="N", help="Drawn from after each step.")
    ] = 4
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of training.")] = 800
    rate: Annotated[float, typer.Option(metavar="R", help="Learning rate.")] = 1e-3
    mix: Annotated[str, typer.Option(metavar="KIND=SHARE,…", help="Kinds of problems.")] = (
        DEFAULT_PRM_MIX
    )
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed than the data's.")] = 200
    threads: ThreadCount = None


@spread_options
def prm(options: PrmOptions) -> None:
    """Train a small process reward model from a policy.

    Each step of its replies is labelled by how often it ends right from there. The labels are kept
    beside the output (.labels.jsonl) and gone on with. The value format is `steiner-mini`.
    """
    prepare_torch(options.threads)
    order = _label_and_train(options)
    print(
        f"{options.out}: {order:.1%} of held-out pairs of steps in the right order",
        file=sys.stderr,
    )


def _label_and_train(options: PrmOptions) -> float:
    """Return the share of held-out pairs of steps that the trained model puts in order."""
    from reasoner.training.labels import write_labelled_replies  # needs the extra `train`
    from reasoner.training.prm import train_prm

    recipe = PathDataRecipe(
        problems=options.problems, paths=1, seed=options.seed, mix=parse_mix(options.mix)
    )
    file = options.out.with_suffix(".labels.jsonl")
    excluded = excluded_keys(options.exclude or [])
    with long_run(f"stopped; the labels so far are in {file}") as status_line:

        def show(done: int) -> None:
            status_line.show(f"{done} of {options.problems} replies labelled")

        write_labelled_replies(options.run, file, recipe, excluded, options.continuations, show)
        return train_prm(
            options.run,
            file,
            options.out,
            options.steps,
            options.rate,
            options.seed,
            status_line.show,
        )
