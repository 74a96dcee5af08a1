"""Answering a problem with a model for `reasoner ask`, with a trace and with Ctrl-C."""

import asyncio
from pathlib import Path

from reasoner.api import open_solver
from reasoner.cli.commands.run_outcome import RunOutcome
from reasoner.cli.interrupt import Interrupt
from reasoner.cli.output.output import Output
from reasoner.settings import Settings
from reasoner.trace.writer import TraceWriter
from reasoner.types.events import Event
from reasoner.types.problem import Problem

__all__ = ["solve_problem"]


def solve_problem(
    problem: Problem, settings: Settings, output: Output, trace: Path | None
) -> RunOutcome:
    """Answer the problem and write its trace, if a path for it is given.

    Ctrl-C ends the search with what there is. Raises what opening and using a solver raises.
    """
    with TraceWriter(trace, problem, settings) as tracer:
        return asyncio.run(_solve(problem, settings, output, tracer))


async def _solve(
    problem: Problem, settings: Settings, output: Output, tracer: TraceWriter
) -> RunOutcome:
    def on_event(event: Event) -> None:
        tracer.add_event(event)
        output.on_event(event)

    with Interrupt(lambda: tracer.finish("interrupted")) as interrupt:
        async with open_solver(settings, on_event, output.progress) as solver:
            interrupt.soft()
            result = await solver.solve(problem, stop=interrupt.stop)
            dated = solver.prompt_has_date
        return RunOutcome(result, interrupt.happened, dated, tracer.raise_write_error)
