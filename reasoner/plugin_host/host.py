"""The plugin host: calls the hooks of the loaded plugins concurrently, each with a time limit.

A plugin that raises, hangs or returns a value of the wrong type is reported and left out; the
results of the other plugins are used as usual.
"""

import asyncio
import contextlib
import importlib.metadata
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from reasoner.concurrency.timeout import call_in_thread
from reasoner.plugin_host.loading import LoadedPlugins, PluginInfo, error_summary
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Problem
from reasoner.types.tool_call import Tool, ToolCall, ToolReply
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = ["PluginHost", "VerdictCache"]

GRACE_SECONDS = 3.0
"""Seconds beyond its time limit that a plugin may take before the call counts as failed."""


class VerdictCache(Protocol):
    """A store of earlier verdicts, which the host asks before it calls a deterministic plugin."""

    def get(self, plugin: str, problem: Problem, submission: Submission, /) -> Verdict | None:
        """Return the plugin's earlier verdict on the same submission, or None."""

    def put(
        self, plugin: str, problem: Problem, submission: Submission, verdict: Verdict, /
    ) -> None:
        """Store a verdict."""

    def close(self) -> None:
        """Close the store."""


class PluginHost:
    """The loaded plugins of one solver.

    `on_notice` receives one line for each plugin that had to be left out. `entry_points` replaces
    the installed plugins and the user's files. `unsafe_exec` allows plugins to run a model's code
    without a sandbox where none is strong enough. `kept` is a cache for the verdicts of
    deterministic plugins; it is closed together with the host.

    Loading imports the plugins' modules and starts no process; worker processes start with the
    first check and end with `close`. Raises UsageError when the user's choice of plugins cannot
    be read.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] | None = None,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        unsafe_exec: bool = False,
        verdict_cache: VerdictCache | None = None,
    ) -> None:
        self._notice = on_notice or (lambda _: None)
        self._cache = verdict_cache
        self._plugins = LoadedPlugins(self._notice, entry_points)
        for name in self._plugins.having("set_permissions"):
            with contextlib.suppress(Exception):  # the plugin then keeps its safe default
                self._plugins.call(name, "set_permissions", unsafe_exec=unsafe_exec)

    def names(self) -> tuple[str, ...]:
        """Return the names of the plugins in use."""
        return self._plugins.names()

    def describe(self, health: bool = False) -> tuple[PluginInfo, ...]:
        """Return a description of every plugin; see `LoadedPlugins.describe`."""
        return self._plugins.describe(health)

    async def check(
        self, problem: Problem, submission: Submission, seconds: float = 10.0
    ) -> tuple[Verdict, ...]:
        """Check a submission with all plugins concurrently, `seconds` for each plus
        `GRACE_SECONDS`.

        Returns the verdicts in the order of the plugins; plugins that do not apply are absent. No
        verdict `settles` a question that has a known answer or given tests.
        """
        names = self._plugins.having("verify")
        verdicts = await asyncio.gather(
            *(self._verify(name, problem, submission, seconds) for name in names)
        )
        applicable = tuple(verdict for verdict in verdicts if verdict is not None)
        if problem.expect is None and problem.tests is None:
            return applicable
        return tuple(verdict.model_copy(update={"settles": False}) for verdict in applicable)

    async def check_step(self, text: str, seconds: float = 2.0) -> tuple[Verdict, ...]:
        """Check one reasoning step with all plugins; those that do not apply are absent."""
        names = self._plugins.having("verify_step")
        verdicts = await asyncio.gather(
            *(self._call_for_verdict(name, "verify_step", seconds, text=text) for name in names)
        )
        return tuple(verdict for verdict in verdicts if verdict is not None)

    async def describe_environment(
        self, problem: Problem, steps: tuple[str, ...], seconds: float = 2.0
    ) -> EnvironmentState | None:
        """Return the environment state by the first plugin that recognises the problem."""
        for name in self._plugins.having("describe_environment"):
            try:
                state = await self._call(
                    name, "describe_environment", seconds, problem=problem, steps=steps
                )
            except Exception as error:
                self._notice(f"plugin '{name}' frames nothing: {error_summary(error)}")
                continue
            if isinstance(state, EnvironmentState):
                return state
        return None

    async def same_answer(self, expected: str, answer: str, seconds: float = 2.0) -> bool:
        """Return whether a plugin decides that two final answers are equal, and none that they
        differ."""
        names = self._plugins.having("compare_answers")
        calls = (
            self._call(name, "compare_answers", seconds, expected=expected, answer=answer)
            for name in names
        )
        replies = await asyncio.gather(*calls, return_exceptions=True)
        return _combined(replies)[0] is Outcome.PASS

    def offers(self, hook: str) -> bool:
        """Return whether any plugin in use implements the hook."""
        return bool(self._plugins.having(hook))

    def tools(self) -> tuple[Tool, ...]:
        """Return the tools that the plugins offer to a policy."""
        return tuple(tool for tools in self._tools_by_plugin().values() for tool in tools)

    async def call_tool(
        self, tool: str, earlier: tuple[str, ...], text: str, seconds: float
    ) -> ToolCall:
        """Call a tool; when its plugin fails, the output of the call says so.

        `tool` is the name of one of `tools`; `earlier` and `text` are as in the hook `call_tool`.
        """
        start = time.monotonic()
        plugins = self._tools_by_plugin().items()
        owner = next(name for name, tools in plugins if any(t.name == tool for t in tools))
        try:
            reply = await self._call(
                owner, "call_tool", seconds, tool=tool, earlier=earlier, text=text
            )
        except TimeoutError:
            reply = _failed_reply(f"no reply within {seconds + GRACE_SECONDS:g} s")
        except Exception as error:
            reply = _failed_reply(error_summary(error))
        if not isinstance(reply, ToolReply):
            reply = _failed_reply(f"it returned {type(reply).__name__}, not a reply")
        return ToolCall(
            tool=tool, text=text, seconds=time.monotonic() - start, **reply.model_dump()
        )

    def close(self) -> None:
        """End the plugins' processes; a later check would start them again."""
        self._plugins.close()
        if self._cache is not None:
            self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _tools_by_plugin(self) -> dict[str, tuple[Tool, ...]]:
        """Return each plugin's tools; a plugin whose hook fails has none."""
        tools_by_plugin: dict[str, tuple[Tool, ...]] = {}
        for name in self._plugins.having("register_tools"):
            try:
                reply = self._plugins.call(name, "register_tools")
            except Exception as error:
                self._notice(f"plugin '{name}' offers no tools: {error_summary(error)}")
                continue
            tools = reply if isinstance(reply, tuple) else ()
            tools_by_plugin[name] = tuple(tool for tool in tools if isinstance(tool, Tool))
        return tools_by_plugin

    def _compare_answers(self, expected: str, answer: str, seconds: float) -> tuple[Outcome, str]:
        """Compare two answers with all plugins, in the calling thread; see `CompareAnswers`."""
        replies: list[object] = []
        for name in self._plugins.having("compare_answers"):
            try:
                reply = self._plugins.call(
                    name, "compare_answers", expected=expected, answer=answer, seconds=seconds
                )
            except Exception as error:
                reply = (Outcome.UNKNOWN, f"could not be decided: {error_summary(error)}")
            replies.append(reply)
        return _combined(replies)

    async def _verify(
        self, name: str, problem: Problem, submission: Submission, seconds: float
    ) -> Verdict | None:
        """Return a plugin's verdict, from the cache where the plugin is deterministic."""
        cache = self._cache if self._is_deterministic(name) else None
        verdict = cache.get(name, problem, submission) if cache else None
        if verdict is not None:
            return verdict
        arguments = {"problem": problem, "submission": submission}
        verdict = await self._call_for_verdict(
            name, "verify", seconds, compare_answers=self._compare_answers, **arguments
        )
        if cache and verdict is not None:
            cache.put(name, problem, submission, verdict)
        return verdict

    def _is_deterministic(self, name: str) -> bool:
        with contextlib.suppress(Exception):  # the plugin is then called every time
            return self._plugins.call(name, "is_deterministic") is True
        return False

    async def _call_for_verdict(
        self, name: str, hook: str, seconds: float, **arguments: object
    ) -> Verdict | None:
        """Call a hook that returns a verdict; a failure of the plugin becomes an ERROR verdict."""
        start = time.monotonic()
        try:
            reply = await self._call(name, hook, seconds, **arguments)
        except TimeoutError:
            return _error_verdict(name, f"no verdict within {seconds + GRACE_SECONDS:g} s", start)
        except Exception as error:
            return _error_verdict(name, error_summary(error), start)
        if reply is None or isinstance(reply, Verdict):
            return reply
        return _error_verdict(name, f"returned {type(reply).__name__}, not a verdict", start)

    async def _call(self, name: str, hook: str, seconds: float, **arguments: object) -> object:
        """Call a hook in a thread. Raises TimeoutError after `seconds` plus `GRACE_SECONDS`."""
        call = partial(self._plugins.call, name, hook, seconds=seconds, **arguments)
        return await asyncio.wait_for(call_in_thread(call), seconds + GRACE_SECONDS)


def _combined(replies: Iterable[object]) -> tuple[Outcome, str]:
    """Combine what plugins returned for `compare_answers`: they must not contradict each other."""
    comparisons: dict[Outcome, str] = {}
    for reply in replies:
        match reply:
            case (Outcome() as outcome, str() as reason):
                comparisons.setdefault(outcome, reason)
    if Outcome.PASS in comparisons and Outcome.FAIL in comparisons:
        return Outcome.UNKNOWN, "could not be decided: the plugins disagree"
    for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN):
        if outcome in comparisons:
            return outcome, comparisons[outcome]
    return Outcome.UNKNOWN, "could not be decided: no plugin compares answers"


def _error_verdict(name: str, reason: str, start: float) -> Verdict:
    return Verdict(
        verifier=name,
        outcome=Outcome.ERROR,
        reason=f"the plugin failed: {reason}",
        seconds=time.monotonic() - start,
    )


def _failed_reply(reason: str) -> ToolReply:
    return ToolReply(output=f"the tool failed: {reason}", ok=False, kept=False)
