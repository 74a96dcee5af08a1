"""The main flow: a question in, an answer with its evidence out."""

import asyncio
from types import TracebackType
from typing import Self

from reasoner.events import OnEvent
from reasoner.problem import Problem
from reasoner.result import Result
from reasoner.settings import Settings

__all__ = ["Solver", "asolve", "solve"]


class Solver:
    """A loaded model that answers questions; several may be in flight at once.

    Opening loads the model (fetching it on first use) and starts the plugins; closing frees both.
    """

    def __init__(self, settings: Settings, on_event: OnEvent | None = None) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raise NotImplementedError

    async def solve(
        self,
        problem: Problem,
        *,
        settings: Settings | None = None,
        on_event: OnEvent | None = None,
        stop: asyncio.Event | None = None,
    ) -> Result:
        """Answer `problem`. Setting `stop` ends the search with what there is by then
        (finish_reason `interrupted`). `settings` replaces the solver's own for this question
        (limits, sampling, seed, strategy; not the model or the engine)."""
        raise NotImplementedError


async def asolve(
    question: str | Problem, *, on_event: OnEvent | None = None, **options: object
) -> Result:
    """Answer one question; `options` are fields of `Settings` (model=…, budget=…, seed=…)."""
    raise NotImplementedError


def solve(question: str | Problem, *, on_event: OnEvent | None = None, **options: object) -> Result:
    """`asolve` for callers without an event loop."""
    return asyncio.run(asolve(question, on_event=on_event, **options))
