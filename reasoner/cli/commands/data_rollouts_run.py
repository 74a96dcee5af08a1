"""The work of `reasoner data rollouts`: sample solutions, judge their steps, write them down."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from reasoner.cli.interrupt import Interrupt
from reasoner.cli.options.rollouts import RolloutOptions
from reasoner.cli.options.validation import validated_options
from reasoner.cli.output.progress import RolloutProgress, draw_progress
from reasoner.cli.output.terminal import print_error
from reasoner.datagen.rollouts.exercises import Exercise, read_exercises
from reasoner.datagen.rollouts.run import open_rollout_run
from reasoner.datagen.rollouts.settings import RolloutPlan
from reasoner.errors import Interrupted
from reasoner.settings import Settings

__all__ = ["write_rollouts"]


def write_rollouts(options: RolloutOptions) -> None:
    """Write rollouts of the problems, after those that are in the output already.

    Raises UsageError for a bad option or problem file, Interrupted after Ctrl-C.
    """
    settings = Settings.load(model=options.model)
    plan = _plan(options)
    exercises = read_exercises(options.data, options.limit, options.seed)
    asyncio.run(_write(options, plan, settings, exercises))


def _plan(options: RolloutOptions) -> RolloutPlan:
    with validated_options():
        return RolloutPlan(
            samples=options.samples,
            continuations=options.continuations,
            corruptions=options.corruptions,
            systems=tuple(options.system or ()),
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            seed=options.seed,
        )


async def _write(
    options: RolloutOptions, plan: RolloutPlan, settings: Settings, exercises: list[Exercise]
) -> None:
    progress = draw_progress(sys.stderr)
    with Interrupt() as interrupt:
        async with open_rollout_run(options.out, plan, settings, print_error, progress) as run:
            interrupt.soft()
            pace = RolloutProgress(sys.stderr, len(exercises), options.tokens)

            def watch() -> None:
                pace.show(run.problems, run.solutions, run.tokens)

            watch()
            work = run.make_rollouts(
                exercises, at_once=options.at_once, max_tokens=options.tokens, on_exercise=watch
            )
            try:
                completed = await _complete_unless(interrupt.stop, work)
            finally:
                pace.end()
            if not completed:
                raise Interrupted(
                    f"{run.problems} problems are in {options.out}; the command goes on there"
                )


async def _complete_unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Await `work`, and cancel it when `stop` is set; return whether it came to its end."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    if task.cancelled():
        return False
    task.result()
    return True
