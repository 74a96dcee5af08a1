"""`reasoner data rollouts`: solutions of known problems, with what became of each step."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reasoner.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from reasoner.pipelines.plan import Plan
    from reasoner.pipelines.problems import Exercise
    from reasoner.settings import Settings

__all__ = ["rollouts"]


def rollouts(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="JSON Lines: question, answer and any solution; or problem, steps, label.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write; a run that was begun goes on.")
    ],
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="The policy.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Most problems.")] = None,
    samples: Annotated[int, typer.Option(metavar="N", help="Solutions drawn for each.")] = 4,
    continuations: Annotated[
        int, typer.Option(metavar="N", help="Drawn at each step looked at, to find an error.")
    ] = 3,
    corruptions: Annotated[
        int, typer.Option(metavar="N", help="Steps made wrong in each right solution.")
    ] = 1,
    system: Annotated[
        list[str] | None,
        typer.Option(
            "--system", "-s", metavar="TEXT", help="System prompt. Repeated: samples take turns."
        ),
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop when so many are spent in all.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Most of one solution.")] = 512,
    temperature: Annotated[float, typer.Option(metavar="T", help="0 is greedy.")] = 0.8,
    seed: Annotated[int, typer.Option(metavar="N", help="Chooses the problems and draws.")] = 0,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Problems in work together.")
    ] = 6,
) -> None:
    """Draw solutions of known problems and judge their steps.

    Continuations from its steps tell where a wrong solution went wrong. The output is JSON Lines,
    one solution a line, and beside it (.features) how much the model doubted each step.
    Everything that is done is on disk: the same command goes on after Ctrl-C or a crash.
    """
    import asyncio

    from pydantic import ValidationError

    from reasoner.pipelines.plan import Plan
    from reasoner.pipelines.problems import read_exercises
    from reasoner.settings import Settings, explain

    settings = Settings.load(model=model)
    try:
        plan = Plan(
            samples=samples,
            continuations=continuations,
            corruptions=corruptions,
            systems=tuple(system or ()),
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
        )
    except ValidationError as error:
        raise UsageError(f"bad option: {explain(error)}") from error
    exercises = read_exercises(data, limit, seed)
    asyncio.run(_run(out, plan, settings, exercises, tokens, at_once))


async def _run(
    out: Path,
    plan: "Plan",
    settings: "Settings",
    exercises: "list[Exercise]",
    tokens: int | None,
    at_once: int,
) -> None:
    import asyncio

    from reasoner.cli.interrupt import Interrupt
    from reasoner.cli.output.progress import RolloutProgress, draw_progress
    from reasoner.cli.output.terminal import complain
    from reasoner.pipelines.run import open_run

    with Interrupt() as interrupt:
        async with open_run(out, plan, settings, complain, draw_progress(sys.stderr)) as run:
            interrupt.soft()
            pace = RolloutProgress(sys.stderr, len(exercises), tokens)

            def watch() -> None:
                pace.show(run.problems, run.solutions, run.tokens)

            watch()
            work = asyncio.ensure_future(
                run.work(exercises, at_once=at_once, tokens=tokens, watch=watch)
            )
            ending = asyncio.ensure_future(interrupt.stop.wait())
            await asyncio.wait((work, ending), return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
            pace.end()
            if work.cancelled():
                raise Interrupted(
                    f"{run.problems} problems are in {out}; the command goes on there"
                )
            work.result()
