"""The library's entry points, and the place where local and served solvers are put together."""

import asyncio
from typing import Any

from reasoner.models.progress import DownloadObserver
from reasoner.settings import Settings
from reasoner.solver.interface import Solver
from reasoner.types.events import OnEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["asolve", "open_solver", "solve"]


def open_solver(
    settings: Settings, on_event: OnEvent | None = None, on_progress: DownloadObserver | None = None
) -> Solver:
    """Return the solver that the settings name, to be entered with `async with`.

    It is a client of `settings.server` where that is set; otherwise the model is loaded in this
    process. `on_event` receives every event, `on_progress` the progress of downloads.
    """
    if settings.server:
        from reasoner.solver.served import ServedSolver

        return ServedSolver(settings, on_event)
    from reasoner.solver.local import LocalSolver  # a client of a server needs no engine

    return LocalSolver(settings, on_event, on_progress)


async def asolve(
    question: str | Problem, *, on_event: OnEvent | None = None, **options: Any
) -> Result:
    """Answer one question.

    `options` are fields of `Settings` (model=…, budget=…, seed=…) and `expect`, the known answer
    to check against. Raises ReasonerError, for instance for a missing model, a prompt that is
    too long or an option that does not exist.
    """
    expect = options.pop("expect", None)
    settings = Settings.load(**options)
    if isinstance(question, str):
        question = Problem(question=question, system=settings.system, expect=expect)
    async with open_solver(settings, on_event) as solver:
        return await solver.solve(question)


def solve(question: str | Problem, *, on_event: OnEvent | None = None, **options: Any) -> Result:
    """Answer one question; `asolve` for callers without an event loop. Raises ReasonerError."""
    return asyncio.run(asolve(question, on_event=on_event, **options))
