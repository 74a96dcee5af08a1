"""`reasoner train policy`: a small policy model that thinks in Steiner's tokens."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from reasoner.cli.commands.long_run import long_run
from reasoner.cli.options.problem_mix import DEFAULT_MIX, parse_mix
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.torch_threads import ThreadCount, prepare_torch
from reasoner.cli.options.validation import validated_options
from reasoner.datagen.puzzles.stream import PathDataRecipe, excluded_keys
from reasoner.errors import UsageError
from reasoner.training.run import TrainingPlan

__all__ = ["policy"]


@dataclass(frozen=True)
class PolicyOptions:
    """The run, what it learns from, and the size of the model."""

    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The run's folder; a run that was begun goes on.")
    ]
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file of `reasoner data paths`; repeatable."),
    ] = None
    stage: Annotated[
        Literal["sft", "rl"], typer.Option(help="Learn from data, then from rewards.")
    ] = "sft"
    width: Annotated[
        int, typer.Option(metavar="N", help="The dial of its size; 192: 2.7 M, 512: 50 M.")
    ] = 192
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps of learning from data, in all.")
    ] = 6000
    batch: Annotated[int, typer.Option(min=64, metavar="N", help="Tokens a step.")] = 4096
    rate: Annotated[float, typer.Option(metavar="R", help="Learning rate.")] = 3e-3
    rounds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rounds of learning from rewards.")
    ] = 50
    mix: Annotated[
        str, typer.Option(metavar="KIND=SHARE,…", help="Problems to learn from by reward.")
    ] = DEFAULT_MIX
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the run.")] = 0
    threads: ThreadCount = None


@spread_options
def policy(options: PolicyOptions) -> None:
    """Train a small Llama that thinks in Steiner's tokens.

    Warm-up on every token, fine-tuning on paths; with --stage rl, rewards for steps.
    RUN/policy.gguf is the model (Q8_0), RUN/log.jsonl the losses. Everything is saved once a
    minute: the same command goes on after Ctrl-C or a crash. Needs the extra `train`.
    """
    prepare_torch(options.threads)
    from reasoner.training.policy import train_by_reward, train_on_data  # need the extra `train`

    message = f"stopped; the same command goes on in {options.run}"
    with validated_options(), long_run(message) as status_line:
        show = status_line.show
        if options.stage == "rl":
            recipe = PathDataRecipe(seed=options.seed, mix=parse_mix(options.mix))
            excluded = excluded_keys(options.exclude or [])
            model = train_by_reward(options.run, recipe, excluded, options.rounds, show)
        else:
            plan = _plan(options)
            model = train_on_data(options.run, _data(options), plan, show)
    print(f'trained; try: reasoner ask -m {model} "Use 4 7 8 8 to make 24"', file=sys.stderr)


def _plan(options: PolicyOptions) -> TrainingPlan:
    return TrainingPlan(
        width=options.width,
        steps=options.steps,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
    )


def _data(options: PolicyOptions) -> list[Path]:
    if not options.data:
        raise UsageError("give the data to learn from: --data FILE (from `reasoner data paths`)")
    return options.data
