"""`reasoner train policy`: a small model of our own that thinks in Steiner's tokens."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reasoner.cli.data_paths import MIX
from reasoner.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reasoner.training.run import Plan

__all__ = ["policy", "prepare"]


def policy(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The run's folder; a run that was begun goes on.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file of `reasoner data paths`; repeatable."),
    ] = None,
    stage: Annotated[
        Literal["sft", "rl"], typer.Option(help="Learn from data, then from rewards.")
    ] = "sft",
    width: Annotated[
        int, typer.Option(metavar="N", help="The dial of its size; 192: 2.7 M, 512: 50 M.")
    ] = 192,
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps of learning from data, in all.")
    ] = 6000,
    batch: Annotated[int, typer.Option(min=64, metavar="N", help="Tokens a step.")] = 4096,
    rate: Annotated[float, typer.Option(metavar="R", help="Learning rate.")] = 3e-3,
    rounds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rounds of learning from rewards.")
    ] = 50,
    mix: Annotated[
        str, typer.Option(metavar="KIND=SHARE,…", help="Problems to learn from by reward.")
    ] = MIX,
    exclude: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Problems to leave out.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the run.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processor threads.")
    ] = None,
) -> None:
    """Train a small Llama that thinks in Steiner's tokens.

    Warm-up on every token, fine-tuning on paths; with --stage rl, rewards for steps.
    RUN/policy.gguf is the model (Q8_0), RUN/log.jsonl the losses. Everything is saved once a
    minute: the same command goes on after Ctrl-C or a crash. Needs the extra `train`.
    """
    from pydantic import ValidationError

    from reasoner.settings import explain

    prepare(threads)
    from reasoner.cli.output.progress import StatusLine
    from reasoner.training.run import Plan

    count = StatusLine(sys.stderr)
    try:
        if stage == "rl":
            made = _by_reward(run, mix, exclude or [], seed, rounds, count.show)
        else:
            plan = Plan(width=width, steps=steps, batch=batch, rate=rate, seed=seed)
            made = _on_data(run, data or [], plan, count.show)
    except ValidationError as error:
        raise UsageError(f"bad option: {explain(error)}") from error
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; the same command goes on in {run}") from None
    finally:
        count.end()
    print(f'trained; try: reasoner ask -m {made} "Use 4 7 8 8 to make 24"', file=sys.stderr)


def _on_data(run: Path, data: list[Path], plan: "Plan", say: "Callable[[str], None]") -> Path:
    from reasoner.training.policy import train_on_data

    if not data:
        raise UsageError("give the data to learn from: --data FILE (from `reasoner data paths`)")
    return train_on_data(run, data, plan, say)


def _by_reward(
    run: Path, mix: str, exclude: list[Path], seed: int, rounds: int, say: "Callable[[str], None]"
) -> Path:
    from reasoner.cli.data_paths import shares
    from reasoner.pipelines.paths.stream import Recipe, excluded_keys
    from reasoner.training.policy import train_by_reward

    recipe = Recipe(seed=seed, mix=shares(mix))
    return train_by_reward(run, recipe, excluded_keys(exclude), rounds, say)


def prepare(threads: int | None) -> None:
    """See to PyTorch, with threads that wait for each other asleep: on a busy machine spinning
    ones starve. Raises UsageError when it is not installed."""
    if find_spec("torch") is None:
        raise UsageError("training needs PyTorch; run: pip install 'reasoner[train]'")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
