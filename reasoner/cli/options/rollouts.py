"""The options of `data rollouts`: the problems, the policy, and how solutions are sampled."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["RolloutOptions"]


@dataclass(frozen=True)
class RolloutOptions:
    """The problems, the policy, and how solutions are sampled and judged."""

    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="JSON Lines: question, answer and any solution; or problem, steps, label.",
        ),
    ]
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ]
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="The policy.")
    ] = None
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Most problems.")] = None
    samples: Annotated[int, typer.Option(metavar="N", help="Solutions drawn for each.")] = 4
    continuations: Annotated[
        int, typer.Option(metavar="N", help="Drawn at each step looked at, to find an error.")
    ] = 3
    corruptions: Annotated[
        int, typer.Option(metavar="N", help="Steps made wrong in each right solution.")
    ] = 1
    system: Annotated[
        list[str] | None,
        typer.Option(
            "--system", "-s", metavar="TEXT", help="System prompt. Repeated: samples take turns."
        ),
    ] = None
    tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop when so many are spent in all.")
    ] = None
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Most of one solution.")] = 512
    temperature: Annotated[float, typer.Option(metavar="T", help="0 is greedy.")] = 0.8
    seed: Annotated[int, typer.Option(metavar="N", help="Chooses the problems and draws.")] = 0
    at_once: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Problems in work together.")
    ] = 6
