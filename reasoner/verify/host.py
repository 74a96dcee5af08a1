"""The plugin host: loads the enabled plugins and asks them all at once.

A plugin that cannot be imported, raises, hangs or returns something else than a verdict is named
and left out; it never takes the answer down with it. One that crashes the interpreter does: it
runs in this process.
"""

import asyncio
import contextlib
import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Self

import pluggy
from pydantic import BaseModel, ConfigDict, JsonValue

from reasoner.frame import Frame
from reasoner.problem import Problem
from reasoner.tool import Tool, ToolCall, ToolReply
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.hookspecs import GROUP, PluginHooks
from reasoner.verify.patience import in_thread, within
from reasoner.verify.sources import Source, entry_source, find_sources

__all__ = ["PluginInfo", "Verifiers"]

GRACE = 3.0
"""Seconds past its limit after which a plugin's silence is an error."""
LOAD_SECONDS = 15.0
HEALTH_SECONDS = 60.0
CLOSE_SECONDS = 5.0


class PluginInfo(BaseModel):
    """One plugin as `plugins list` and `doctor` show it.

    `origin` is the package or the file it comes from, `version` the package's or the file's
    `__version__`. One that is not `enabled` was not imported. `error` says why a broken one was
    left out. `health` is the plugin's own report, filled only when asked for.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    origin: str
    enabled: bool = True
    version: str | None = None
    hooks: tuple[str, ...] = ()
    error: str | None = None
    health: dict[str, JsonValue] | None = None


class Verifiers:
    """The loaded plugins. `on_notice` gets one line for each plugin that had to be left out.

    `entry_points` replaces what is installed and the user's files. Loading imports the plugins'
    modules and starts nothing; children start with the first check and end with `close`.
    `unsafe_exec` lets them run a model's code without a sandbox where none is strong enough.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] | None = None,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        unsafe_exec: bool = False,
    ) -> None:
        self._notice = on_notice or (lambda _: None)
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(PluginHooks)
        self._infos: dict[str, PluginInfo] = {}
        if entry_points is None:
            sources = find_sources()
        else:
            sources = sorted(map(entry_source, entry_points), key=lambda source: source.name)
        for source in sources:
            self._load(source)
        for name in self._with("permit"):
            with contextlib.suppress(Exception):  # then it keeps to what is safe
                self._call(name, "permit", unsafe_exec=unsafe_exec)

    def names(self) -> tuple[str, ...]:
        """The names of the plugins in use."""
        return tuple(name for name, info in self._infos.items() if _in_use(info))

    def describe(self, health: bool = False) -> tuple[PluginInfo, ...]:
        """Every plugin found, broken ones too; `health` also asks each how it is (slow)."""
        if not health:
            return tuple(self._infos.values())
        return tuple(
            info.model_copy(update={"health": self._health(info.name)}) if _in_use(info) else info
            for info in self._infos.values()
        )

    async def check(
        self, problem: Problem, candidate: Candidate, seconds: float = 10.0
    ) -> tuple[Verdict, ...]:
        """Ask every plugin at once; at most `seconds` each, plus a little grace.

        The verdicts come in the plugins' order; plugins with nothing to say are absent. None
        settles the question where there is a known answer or a given test to do so.
        """
        names = self._with("verify")
        asked = (
            self._judge(name, "verify", seconds, problem=problem, candidate=candidate)
            for name in names
        )
        said = tuple(verdict for verdict in await asyncio.gather(*asked) if verdict is not None)
        if problem.expect is None and problem.tests is None:
            return said
        return tuple(verdict.model_copy(update={"settles": False}) for verdict in said)

    async def check_step(self, text: str, seconds: float = 2.0) -> tuple[Verdict, ...]:
        """Ask every plugin that judges single steps; those with nothing to say are absent."""
        names = self._with("verify_step")
        said = await asyncio.gather(
            *(self._judge(name, "verify_step", seconds, text=text) for name in names)
        )
        return tuple(verdict for verdict in said if verdict is not None)

    async def frame(
        self, problem: Problem, steps: tuple[str, ...], seconds: float = 2.0
    ) -> Frame | None:
        """How the first plugin that knows the problem's kind would have it thought on."""
        for name in self._with("frame"):
            try:
                frame = await self._reply(name, "frame", seconds, problem=problem, steps=steps)
            except Exception as error:
                self._notice(f"plugin '{name}' frames nothing: {_line(error)}")
                continue
            if isinstance(frame, Frame):
                return frame
        return None

    async def same_answer(self, left: str, right: str, seconds: float = 2.0) -> bool:
        """Whether a plugin holds two final answers for the same, and none for different."""
        names = self._with("same_answer")
        asked = (
            self._reply(name, "same_answer", seconds, left=left, right=right) for name in names
        )
        said = await asyncio.gather(*asked, return_exceptions=True)
        return Outcome.PASS in said and Outcome.FAIL not in said

    def offers(self, hook: str) -> bool:
        """Whether any plugin in use has the hook."""
        return bool(self._with(hook))

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
            reply = _broken(_line(error))
        if not isinstance(reply, ToolReply):
            reply = _broken(f"it returned {type(reply).__name__}, not a reply")
        return ToolCall(
            tool=tool, text=text, seconds=time.monotonic() - began, **reply.model_dump()
        )

    def close(self) -> None:
        """End the plugins' processes; a later check would start them again."""
        for name in self._with("close"):
            try:
                within(partial(self._call, name, "close"), CLOSE_SECONDS)
            except Exception as error:
                self._notice(f"plugin '{name}' did not close: {_line(error)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _load(self, source: Source) -> None:
        name = source.name
        info = PluginInfo(
            name=name, origin=source.origin, version=source.version, enabled=source.enabled
        )
        if name in self._infos:
            self._notice(f"plugin '{name}' of {source.origin} left out: the name is taken")
            return
        if source.enabled:
            try:
                info = info.model_copy(update=self._register(source))
            except Exception as error:
                self._manager.set_blocked(name)
                info = info.model_copy(update={"error": _line(error)})
                self._notice(f"plugin '{name}' left out: {_line(error)}")
        self._infos[name] = info

    def _register(self, source: Source) -> dict[str, object]:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the answer's
            plugin = within(source.load, LOAD_SECONDS)
        self._manager.register(plugin, name=source.name)
        hooks = tuple(sorted(c.name for c in self._manager.get_hookcallers(plugin) or ()))
        if not hooks:
            raise ImportError("it has no function marked @hookimpl")
        version = source.version or getattr(plugin, "__version__", None)
        return {"hooks": hooks, "version": None if version is None else str(version)}

    def _offers(self) -> dict[str, tuple[Tool, ...]]:
        """Each plugin's tools; one that cannot say what it offers, offers nothing."""
        offers: dict[str, tuple[Tool, ...]] = {}
        for name in self._with("tools"):
            try:
                offered = self._call(name, "tools")
            except Exception as error:
                self._notice(f"plugin '{name}' offers no tools: {_line(error)}")
                continue
            found = offered if isinstance(offered, tuple) else ()
            offers[name] = tuple(tool for tool in found if isinstance(tool, Tool))
        return offers

    def _with(self, hook: str) -> list[str]:
        return [name for name, info in self._infos.items() if hook in info.hooks]

    def _call(self, name: str, hook: str, **arguments: object) -> object:
        """Call one plugin's hook, so that one that raises does not silence the others."""
        chosen = self._manager.get_plugin(name)
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not chosen]
        results = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results[0] if results else None

    def _health(self, name: str) -> dict[str, JsonValue]:
        try:
            report = within(partial(self._call, name, "health"), HEALTH_SECONDS)
        except Exception as error:
            return {"ok": False, "detail": _line(error)}
        return report if isinstance(report, dict) else {"ok": True, "detail": "no health report"}

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
            return _error(name, _line(error), began)
        if said is None or isinstance(said, Verdict):
            return said
        return _error(name, f"returned {type(said).__name__}, not a verdict", began)

    async def _reply(self, name: str, hook: str, seconds: float, **arguments: object) -> object:
        """What a plugin's hook returns; TimeoutError when it stays silent."""
        call = partial(self._call, name, hook, seconds=seconds, **arguments)
        return await asyncio.wait_for(in_thread(call), seconds + GRACE)


def _in_use(info: PluginInfo) -> bool:
    return info.enabled and info.error is None


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


def _line(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 200 else text[:199] + "…"
