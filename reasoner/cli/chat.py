"""`reasoner chat`: several questions to one model that stays loaded."""

import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reasoner.cli.options import RunOptions
from reasoner.cli.output import Output
from reasoner.cli.output.terminal import complain, is_terminal
from reasoner.cli.spread import spread
from reasoner.cli.talk import TalkOptions
from reasoner.cli.view import ViewOptions
from reasoner.errors import Interrupted, ReasonerError

if TYPE_CHECKING:
    import asyncio

    from reasoner.cli.reader import Reader
    from reasoner.problem import Problem
    from reasoner.result import Result
    from reasoner.serve.client import RemoteSolver
    from reasoner.settings import Settings
    from reasoner.solver import Solver

__all__ = ["Chat", "chat", "converse"]


@spread
def chat(*, run: RunOptions, view: ViewOptions, talk: TalkOptions) -> None:
    """Talk with a model over several turns.

    Alt-Enter starts a new line, Ctrl-C stops the answer, Ctrl-D leaves, /help lists the commands.
    When stdin is no terminal, each line of it is a turn.
    """
    converse(run, view, talk)


def converse(run: RunOptions, view: ViewOptions, talk: TalkOptions) -> None:
    """Chat until the user leaves."""
    import asyncio

    from reasoner.cli.reader import open_reader
    from reasoner.cli.stay import staying
    from reasoner.settings import directories

    session = Chat(run.flags() | talk.flags(), view, talk)
    reader = open_reader(directories().data, session.meter)
    with staying():
        asyncio.run(session.run(reader))


class Chat:
    """What was said so far, and the model that is open.

    `flags` are the fields of `Settings` the user gave, on the command line and by /set since.
    `attached` is the text of files that go with the next question. `thoughts` says how reasoning is
    shown: `fold`, `all` or `hide`. With `summaries`, later turns see the steps' own summaries.
    """

    def __init__(self, flags: dict[str, Any], view: ViewOptions, talk: TalkOptions) -> None:
        from reasoner.cli.conversation import Conversation
        from reasoner.settings import Settings
        from reasoner.store.recorder import Recorder

        self.flags, self.view = flags, view
        self.settings: Settings = Settings.load(**flags)
        found, turns = talk.resume()
        recorder = Recorder(self.say, enabled=self.settings.history, conversation=found)
        self.talk = Conversation(recorder, turns)
        self.system = self.settings.system or (turns[-1].system if turns else None)
        self.attached: list[str] = []
        self.summaries = False
        self.thoughts = "all" if view.show_reasoning else "fold"
        self.reader: Reader
        self._solver: Solver | RemoteSolver | None = None
        self._used = 0
        self._ahead: asyncio.Task[None] | None = None

    async def run(self, reader: "Reader") -> None:
        self.reader = reader
        await self._open(self.settings)
        try:
            self._greet()
            while (said := await reader.read()) is not None:
                if not await self._turn(said):
                    break
        finally:
            if self._ahead is not None:
                self._ahead.cancel()
            if self._solver is not None:
                await self._solver.__aexit__(None, None, None)

    @property
    def solver(self) -> "Solver | RemoteSolver":
        assert self._solver is not None
        return self._solver

    def say(self, line: str) -> None:
        Output.open(self.view).narrator.say(line)

    def meter(self) -> str:
        """How full the context is, once something was said."""
        return f"{self._used / self.solver.n_ctx:.0%} " if self._used else ""

    def problem(self, question: str) -> "Problem":
        """A question as it stands at the end of the talk."""
        from reasoner.problem import Problem

        history = self.talk.messages(self.summaries)
        return Problem(question=question, system=self.system, history=history)

    async def change(self, flags: dict[str, Any]) -> None:
        """Take on other flags; another model or engine is opened before the old one closes."""
        from reasoner.effort import planned
        from reasoner.engine.sampling import Sampling
        from reasoner.settings import Settings
        from reasoner.strategies.registry import find_strategy

        settings = Settings.load(**flags)
        Sampling.parse(settings.sampling)
        plan = planned(settings)
        find_strategy(plan.strategy).parse(plan.strategy_options)
        if _loaded_by(settings) != _loaded_by(self.settings):
            await self._open(settings)
        if settings.system != self.settings.system:
            self.system = settings.system
        self.flags, self.settings = flags, settings

    async def ask(self, question: str, attempt: int = 0) -> None:
        """Answer a question and remember it; another `attempt` draws other tokens."""
        from reasoner.cli.overflow import make_room

        problem = self.problem(question)
        if await make_room(self, problem):
            problem = self.problem(question)
        result = await self.answer(problem, attempt)
        self.talk.add(problem, result, attempt)
        if not result.answer.strip():
            stopped = result.finish_reason == "interrupted"
            self.say("interrupted before an answer" if stopped else "no answer came")
        await self.count()

    async def answer(self, problem: "Problem", attempt: int = 0) -> "Result":
        """Work a problem out and show how; Ctrl-C stops it with what there is."""
        from reasoner.cli.interrupt import Interrupt
        from reasoner.cli.stay import unechoed

        shown = {"hide": False, "all": True}.get(self.thoughts, self.view.show_reasoning)
        view = replace(self.view, show_reasoning=shown)
        output = Output.open(view, folds=self.thoughts == "fold")
        seed = (self.settings.seed + attempt) % (2**32 - 1)
        settings = self.settings.model_copy(update={"seed": seed})
        with unechoed(), Interrupt(stays=True) as interrupt:
            interrupt.soft()
            try:
                result = await self.solver.solve(
                    problem, settings=settings, on_event=output.on_event, stop=interrupt.stop
                )
            finally:
                output.end()
            output.close(result)
        return result

    async def count(self) -> None:
        """Measure the talk, and let the model read the last answer while the user types."""
        import asyncio

        self._used = self.solver.measure(self.problem(""), self.settings)
        self._ahead = asyncio.ensure_future(self._read_ahead(self.problem("")))
        await asyncio.sleep(0)  # it is to be asked for before the next question is

    async def _read_ahead(self, problem: "Problem") -> None:
        with suppress(ReasonerError):  # then it is read with the next question
            await self.solver.read_ahead(problem, self.settings)

    def _greet(self) -> None:
        if is_terminal(sys.stdin):
            self.say(f"{self.settings.model} · /help for commands, Ctrl-D to leave")
        if said := len(self.talk.exchanges):
            self.say(
                f"going on with {self.talk.recorder.conversation}, {said} turn{'s' * (said > 1)}"
            )

    async def _turn(self, said: str) -> bool:
        """Answer or obey; False when the user wants to leave. Errors end the turn only."""
        from reasoner.cli.slash import obey

        try:
            if said.startswith("/"):
                return await obey(self, said)
            if said.strip():
                attached, self.attached = self.attached, []
                await self.ask("\n\n".join([*attached, said.strip()]))
        except ReasonerError as error:
            complain(str(error))
        return True

    async def _open(self, settings: "Settings") -> None:
        from reasoner.cli.interrupt import Interrupt, Stoppable
        from reasoner.serve.client import solver_for

        output = Output.open(self.view)
        with Interrupt(stays=self._solver is not None) as interrupt:
            if self._solver is not None:  # a Ctrl-C shall not cost the conversation
                interrupt.soft()
            progress = Stoppable(output.progress, interrupt)
            solver = await solver_for(settings, output.on_event, progress).__aenter__()
            if interrupt.happened:
                await solver.__aexit__(None, None, None)
                raise Interrupted("stopped; the model stays the one it was")
        previous, self._solver = self._solver, solver
        if previous is not None:
            await previous.__aexit__(None, None, None)


def _loaded_by(settings: "Settings") -> tuple[object, ...]:
    """The settings that only opening a solver can put in force."""
    value = (settings.value, settings.value_format, settings.value_head)
    return (
        settings.model,
        settings.server,
        settings.engine,
        settings.protocol,
        settings.unsafe_exec,
        *value,
    )
