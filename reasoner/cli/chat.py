"""`reasoner chat`: several questions to one model that stays loaded."""

import sys
from typing import TYPE_CHECKING, Any

from reasoner.cli.options import RunOptions, ViewOptions
from reasoner.cli.output import Output
from reasoner.cli.output.terminal import complain, is_terminal
from reasoner.cli.spread import spread
from reasoner.cli.talk import TalkOptions
from reasoner.errors import Interrupted, ReasonerError

if TYPE_CHECKING:
    from reasoner.cli.reader import Reader
    from reasoner.problem import Message
    from reasoner.result import Result
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
    from reasoner.settings import directories

    session = Chat(run.flags() | talk.flags(), view, talk)
    asyncio.run(session.run(open_reader(directories().data)))


class Chat:
    """What was said so far, and the model that is open.

    `flags` are the fields of `Settings` the user gave, on the command line and by /set since.
    """

    def __init__(self, flags: dict[str, Any], view: ViewOptions, talk: TalkOptions) -> None:
        from reasoner.settings import Settings
        from reasoner.store.record import messages
        from reasoner.store.recorder import Recorder

        self.flags, self.view = flags, view
        self.settings: Settings = Settings.load(**flags)
        conversation, turns = talk.resume()
        self.history: list[Message] = list(messages(turns))
        self.recorder = Recorder(self.say, enabled=self.settings.history, conversation=conversation)
        self._solver: Solver | None = None

    async def run(self, reader: "Reader") -> None:
        await self._open(self.settings)
        try:
            self._greet()
            while (said := await reader.read()) is not None:
                if not await self._turn(said):
                    break
        finally:
            if self._solver is not None:
                await self._solver.__aexit__(None, None, None)

    def say(self, line: str) -> None:
        Output.open(self.view).narrator.say(line)

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
        self.flags, self.settings = flags, settings

    def _greet(self) -> None:
        if is_terminal(sys.stdin):
            self.say(f"{self.settings.model} · /help for commands, Ctrl-D to leave")

    async def _turn(self, said: str) -> bool:
        """Answer or obey; False when the user wants to leave. Errors end the turn only."""
        from reasoner.cli.slash import obey

        try:
            if said.startswith("/"):
                return await obey(self, said)
            if said.strip():
                await self._answer(said.strip())
        except ReasonerError as error:
            complain(str(error))
        return True

    async def _answer(self, question: str) -> None:
        from reasoner.cli.interrupt import Interrupt
        from reasoner.problem import Problem

        assert self._solver is not None
        output = Output.open(self.view)
        problem = Problem(
            question=question, system=self.settings.system, history=tuple(self.history)
        )
        try:
            with Interrupt() as interrupt:
                interrupt.soft()
                result = await self._solver.solve(
                    problem,
                    settings=self.settings,
                    on_event=output.on_event,
                    stop=interrupt.stop,
                )
        finally:
            output.end()
        output.close(result)
        self.recorder.add(problem, result)
        self._remember(result)

    def _remember(self, result: "Result") -> None:
        """Keep question and answer, without the reasoning; a turn without an answer is dropped."""
        from reasoner.problem import Message

        if not result.answer.strip():
            stopped = result.finish_reason == "interrupted"
            self.say("interrupted before an answer" if stopped else "no answer came")
            return
        self.history.append(Message(role="user", content=result.question))
        self.history.append(Message(role="assistant", content=result.answer))

    async def _open(self, settings: "Settings") -> None:
        from reasoner.cli.interrupt import Interrupt, Stoppable
        from reasoner.solver import Solver

        output = Output.open(self.view)
        with Interrupt() as interrupt:
            if self._solver is not None:  # a Ctrl-C shall not cost the conversation
                interrupt.soft()
            progress = Stoppable(output.progress, interrupt)
            solver = await Solver(settings, output.on_event, progress).__aenter__()
            if interrupt.happened:
                await solver.__aexit__(None, None, None)
                raise Interrupted("stopped; the model stays the one it was")
        previous, self._solver = self._solver, solver
        if previous is not None:
            await previous.__aexit__(None, None, None)


def _loaded_by(settings: "Settings") -> tuple[object, ...]:
    """The settings that only opening a solver can put in force."""
    value = (settings.value, settings.value_format, settings.value_head)
    return settings.model, settings.engine, settings.protocol, settings.unsafe_exec, *value
