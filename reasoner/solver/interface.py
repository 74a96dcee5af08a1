"""What the rest of the program needs of a solver; a local one and a served one meet it."""

import asyncio
from types import TracebackType
from typing import Protocol, Self

from reasoner.settings import Settings
from reasoner.types.events import OnEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from reasoner.types.verdict import Verdict

__all__ = ["Solver"]


class Solver(Protocol):
    """Answers questions with an opened model, wherever the model runs.

    A solver is an asynchronous context manager: entering it opens the model, leaving it frees
    what was opened. Several questions may be in flight at once.
    """

    @property
    def n_ctx(self) -> int:
        """The number of tokens that the context holds."""

    @property
    def prompt_has_date(self) -> bool:
        """Whether prompts contain the current date, so that an answer holds for one day."""

    async def solve(
        self,
        problem: Problem,
        *,
        settings: Settings | None = None,
        on_event: OnEvent | None = None,
        stop: asyncio.Event | None = None,
    ) -> Result:
        """Answer `problem`.

        Setting `stop` ends the search with what there is by then (finish_reason `interrupted`).
        `settings` replaces the solver's own for this question: limits, sampling, seed and
        strategy, but not the models or the engine.
        Raises UsageError, PromptTooLong, ContextFull, EngineError, and ServerGone when the model
        is on a server that is gone.
        """

    async def verify(self, problem: Problem, result: Result) -> tuple[Verdict, ...]:
        """Return the verdicts of the verifiers on an earlier answer to a problem."""

    def count_prompt_tokens(self, problem: Problem, settings: Settings) -> int:
        """Return the number of tokens of a problem's prompt."""

    async def prefill(self, problem: Problem, settings: Settings) -> None:
        """Read a conversation's history into the KV cache before its next question is known."""

    async def ping(self) -> None:
        """Raise EngineError or ServerGone when no further question can be answered."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
