"""A chat's state: the open model, the settings in force, and the conversation so far."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from reasoner.api import open_solver
from reasoner.cli.chat.conversation import Conversation, resume_conversation
from reasoner.cli.chat.reader import Reader
from reasoner.cli.chat.terminal_modes import echo_disabled
from reasoner.cli.ending_signal import TERMINATING_SIGNALS
from reasoner.cli.interrupt import Interrupt, Stoppable
from reasoner.cli.options.conversation import ConversationOptions
from reasoner.cli.options.view import ViewOptions
from reasoner.cli.output.output import Output
from reasoner.cli.recommendations import hint_at_stronger_model
from reasoner.errors import Interrupted, ReasonerError
from reasoner.history.recorder import ConversationRecorder
from reasoner.search.request import validate_request
from reasoner.settings import Settings
from reasoner.solver.interface import Solver
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["ChatSession"]

SEED_COUNT = 2**32 - 1
OPENING_FIELDS = (
    "model",
    "server",
    "engine",
    "protocol",
    "chat_template",
    "unsafe_exec",
    "value",
    "value_format",
    "value_head",
)
"""The settings that take effect only when a solver is opened."""


class ChatSession:
    """The conversation so far and the model that is open.

    `flags` are the fields of `Settings` that the user gave, on the command line and by /set.
    `attached` holds the texts of files that go with the next question. `thoughts` is how reasoning
    is shown: `fold`, `all` or `hide`. With `summaries`, later turns see the summaries of steps.
    """

    def __init__(
        self, flags: dict[str, Any], view: ViewOptions, options: ConversationOptions
    ) -> None:
        self.flags, self.view = flags, view
        self.settings: Settings = Settings.load(**flags)
        conversation_id, turns = resume_conversation(options)
        enabled = self.settings.history
        recorder = ConversationRecorder(self.say, enabled=enabled, conversation=conversation_id)
        self.conversation = Conversation(recorder, turns)
        self.system = self.settings.system or (turns[-1].system if turns else None)
        self.attached: list[str] = []
        self.summaries = False
        self.thoughts = "all" if view.show_reasoning else "fold"
        self.is_terminated = False
        """Whether SIGTERM or SIGHUP ended the last answer; the chat is to end then."""
        self.reader: Reader
        self._solver: Solver | None = None
        self._used_tokens = 0
        self._prefill: asyncio.Task[None] | None = None

    @property
    def solver(self) -> Solver:
        """The open solver; `open` has to be called first."""
        assert self._solver is not None
        return self._solver

    def say(self, line: str) -> None:
        """Print a line on stderr."""
        Output.open(self.view).narrator.show_notice(line)

    def meter(self) -> str:
        """Return the used share of the context as a percentage, empty before the first answer."""
        return f"{self._used_tokens / self.solver.n_ctx:.0%} " if self._used_tokens else ""

    def problem(self, question: str) -> Problem:
        """Return the question with the conversation so far as its history."""
        history = self.conversation.messages(self.summaries)
        return Problem(question=question, system=self.system, history=history)

    async def change(self, flags: dict[str, Any]) -> None:
        """Replace the flags; another model or engine is opened before the old one is closed.

        Raises UsageError for flags that make no valid settings, and ModelError or EngineError when
        the new model cannot be opened; the old settings then stay in force.
        """
        settings = Settings.load(**flags)
        validate_request(settings)
        if any(getattr(settings, f) != getattr(self.settings, f) for f in OPENING_FIELDS):
            await self._open(settings)
        if settings.system != self.settings.system:
            self.system = settings.system
        self.flags, self.settings = flags, settings

    async def answer(self, problem: Problem, attempt: int = 0) -> Result:
        """Answer a problem and show the answer; another `attempt` samples with another seed.

        Ctrl-C ends the work with what there is.
        """
        shown = {"hide": False, "all": True}.get(self.thoughts, self.view.show_reasoning)
        view = replace(self.view, show_reasoning=shown)
        output = Output.open(view, folds=self.thoughts == "fold")
        seed = (self.settings.seed + attempt) % SEED_COUNT
        settings = self.settings.model_copy(update={"seed": seed})
        with echo_disabled(), Interrupt(stays=True) as interrupt:
            interrupt.soft()
            try:
                result = await self.solver.solve(
                    problem, settings=settings, on_event=output.on_event, stop=interrupt.stop
                )
            finally:
                output.end()
            output.close(result)
        self.is_terminated = interrupt.number in TERMINATING_SIGNALS
        return result

    async def prefill_conversation(self) -> None:
        """Measure the conversation, and start its prefill while the user types."""
        self._used_tokens = self.solver.count_prompt_tokens(self.problem(""), self.settings)
        self._prefill = asyncio.ensure_future(self._read_ahead(self.problem("")))
        await asyncio.sleep(0)  # the prefill has to be requested before the next question

    async def _read_ahead(self, problem: Problem) -> None:
        with suppress(ReasonerError):  # the next question prefills it then
            await self.solver.prefill(problem, self.settings)

    async def open(self) -> None:
        """Open the model. Raises ModelError or EngineError when that fails."""
        if not self.view.quiet:
            hint_at_stronger_model(self.settings, self.say)
        await self._open(self.settings)

    async def close(self) -> None:
        """Stop the prefill and close the model."""
        if self._prefill is not None:
            self._prefill.cancel()
        if self._solver is not None:
            await self._solver.__aexit__(None, None, None)

    async def _open(self, settings: Settings) -> None:
        output = Output.open(self.view)
        with Interrupt(stays=self._solver is not None) as interrupt:
            if self._solver is not None:  # Ctrl-C must not cost the conversation
                interrupt.soft()
            progress = Stoppable(output.progress, interrupt)
            solver = await open_solver(settings, output.on_event, progress).__aenter__()
            if interrupt.happened:
                await solver.__aexit__(None, None, None)
                raise Interrupted("stopped; the model stays the one it was")
        previous, self._solver = self._solver, solver
        if previous is not None:
            await previous.__aexit__(None, None, None)
