"""The plugin host: asks the loaded plugins, all at once.

A plugin that raises, hangs or returns something else than a verdict is named and left out; it
never takes the answer down with it.
"""

import asyncio
import contextlib
import importlib.metadata
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reasoner.frame import Frame
from reasoner.patience import in_thread
from reasoner.problem import Problem
from reasoner.tool import Tool, ToolCall, ToolReply
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.plugins import PluginInfo, Plugins, summary

if TYPE_CHECKING:
    from reasoner.store.verdicts import Verdicts

__all__ = ["Verifiers"]

GRACE = 3.0
"""Seconds past its limit after which a plugin's silence is an error."""


class Verifiers:
    """The loaded plugins. `on_notice` gets one line for each plugin that had to be left out.

    `entry_points` replaces what is installed and the user's files. Loading imports the plugins'
    modules and starts nothing; children start with the first check and end with `close`.
    `unsafe_exec` lets them run a model's code without a sandbox where none is strong enough.
    `kept` remembers the verdicts of plugins that allow it; it is closed with them.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] | None = None,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        unsafe_exec: bool = False,
        kept: "Verdicts | None" = None,
    ) -> None:
        self._notice = on_notice or (lambda _: None)
        self._kept = kept
        self._plugins = Plugins(self._notice, entry_points)
        for name in self._plugins.having("permit"):
            with contextlib.suppress(Exception):  # then it keeps to what is safe
                self._plugins.call(name, "permit", unsafe_exec=unsafe_exec)

    def names(self) -> tuple[str, ...]:
        """The names of the plugins in use."""
        return self._plugins.names()

    def describe(self, health: bool = False) -> tuple[PluginInfo, ...]:
        """See `Plugins.describe`."""
        return self._plugins.describe(health)

    async def check(
        self, problem: Problem, candidate: Candidate, seconds: float = 10.0
    ) -> tuple[Verdict, ...]:
        """Ask every plugin at once; at most `seconds` each, plus a little grace.

        The verdicts come in the plugins' order; plugins with nothing to say are absent. None
        settles the question where there is a known answer or a given test to do so.
        """
        names = self._plugins.having("verify")
        asked = (self._known(name, problem, candidate, seconds) for name in names)
        said = tuple(verdict for verdict in await asyncio.gather(*asked) if verdict is not None)
        if problem.expect is None and problem.tests is None:
            return said
        return tuple(verdict.model_copy(update={"settles": False}) for verdict in said)

    async def check_step(self, text: str, seconds: float = 2.0) -> tuple[Verdict, ...]:
        """Ask every plugin that judges single steps; those with nothing to say are absent."""
        names = self._plugins.having("verify_step")
        said = await asyncio.gather(
            *(self._judge(name, "verify_step", seconds, text=text) for name in names)
        )
        return tuple(verdict for verdict in said if verdict is not None)

    async def frame(
        self, problem: Problem, steps: tuple[str, ...], seconds: float = 2.0
    ) -> Frame | None:
        """How the first plugin that knows the problem's kind would have it thought on."""
        for name in self._plugins.having("frame"):
            try:
                frame = await self._reply(name, "frame", seconds, problem=problem, steps=steps)
            except Exception as error:
                self._notice(f"plugin '{name}' frames nothing: {summary(error)}")
                continue
            if isinstance(frame, Frame):
                return frame
        return None

    async def same_answer(self, left: str, right: str, seconds: float = 2.0) -> bool:
        """Whether a plugin holds two final answers for the same, and none for different."""
        names = self._plugins.having("same_answer")
        asked = (
            self._reply(name, "same_answer", seconds, left=left, right=right) for name in names
        )
        said = await asyncio.gather(*asked, return_exceptions=True)
        return Outcome.PASS in said and Outcome.FAIL not in said

    def offers(self, hook: str) -> bool:
        """Whether any plugin in use has the hook."""
        return bool(self._plugins.having(hook))

    def tools(self) -> tuple[Tool, ...]:
        """What the plugins offer a policy to call."""
        return tuple(tool for offered in self._offers().values() for tool in offered)

    async def use(self, tool: str, earlier: tuple[str, ...], text: str, seconds: float) -> ToolCall:
        """Make a call; a plugin that fails shows in the output, for the model to go on from."""
        began = time.monotonic()
        owner = next(name for name, offered in self._offers().items() if tool in _names(offered))
        try:
            reply = await self._reply(owner, "use", seconds, tool=tool, earlier=earlier, text=text)
        except TimeoutError:
            reply = _broken(f"no reply within {seconds + GRACE:g} s")
        except Exception as error:
            reply = _broken(summary(error))
        if not isinstance(reply, ToolReply):
            reply = _broken(f"it returned {type(reply).__name__}, not a reply")
        return ToolCall(
            tool=tool, text=text, seconds=time.monotonic() - began, **reply.model_dump()
        )

    def close(self) -> None:
        """End the plugins' processes; a later check would start them again."""
        self._plugins.close()
        if self._kept is not None:
            self._kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _offers(self) -> dict[str, tuple[Tool, ...]]:
        """Each plugin's tools; one that cannot say what it offers, offers nothing."""
        offers: dict[str, tuple[Tool, ...]] = {}
        for name in self._plugins.having("tools"):
            try:
                offered = self._plugins.call(name, "tools")
            except Exception as error:
                self._notice(f"plugin '{name}' offers no tools: {summary(error)}")
                continue
            found = offered if isinstance(offered, tuple) else ()
            offers[name] = tuple(tool for tool in found if isinstance(tool, Tool))
        return offers

    async def _known(
        self, name: str, problem: Problem, candidate: Candidate, seconds: float
    ) -> Verdict | None:
        """A plugin's verdict on a candidate, remembered where that may be."""
        kept = self._kept if self._lasts(name) else None
        verdict = kept.find(name, problem, candidate) if kept else None
        if verdict is None:
            verdict = await self._judge(
                name, "verify", seconds, problem=problem, candidate=candidate
            )
            if kept and verdict is not None:
                kept.keep(name, problem, candidate, verdict)
        return verdict

    def _lasts(self, name: str) -> bool:
        with contextlib.suppress(Exception):  # then it is asked every time
            return self._plugins.call(name, "lasting") is True
        return False

    async def _judge(
        self, name: str, hook: str, seconds: float, **arguments: object
    ) -> Verdict | None:
        """A plugin's verdict; whatever goes wrong is a verdict too."""
        began = time.monotonic()
        try:
            said = await self._reply(name, hook, seconds, **arguments)
        except TimeoutError:
            return _error(name, f"no verdict within {seconds + GRACE:g} s", began)
        except Exception as error:
            return _error(name, summary(error), began)
        if said is None or isinstance(said, Verdict):
            return said
        return _error(name, f"returned {type(said).__name__}, not a verdict", began)

    async def _reply(self, name: str, hook: str, seconds: float, **arguments: object) -> object:
        """What a plugin's hook returns; TimeoutError when it stays silent."""
        call = partial(self._plugins.call, name, hook, seconds=seconds, **arguments)
        return await asyncio.wait_for(in_thread(call), seconds + GRACE)


def _error(name: str, reason: str, began: float) -> Verdict:
    return Verdict(
        verifier=name,
        outcome=Outcome.ERROR,
        reason=f"the plugin failed: {reason}",
        seconds=time.monotonic() - began,
    )


def _broken(reason: str) -> ToolReply:
    return ToolReply(output=f"the tool failed: {reason}", ok=False, kept=False)


def _names(tools: tuple[Tool, ...]) -> set[str]:
    return {tool.name for tool in tools}
