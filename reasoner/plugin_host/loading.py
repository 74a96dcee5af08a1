"""Loading plugins, describing them, and calling the hooks of one.

A plugin that cannot be imported is reported and left out; the others are loaded as usual. Plugins
run in this process, so one that crashes the interpreter ends the program.
"""

import contextlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterable
from functools import partial

import pluggy
from pydantic import BaseModel, ConfigDict, JsonValue

from reasoner.concurrency.timeout import call_with_timeout
from reasoner.plugin_host.discovery import PluginSource, find_plugin_sources, source_of_entry_point
from reasoner.plugin_host.hookspecs import GROUP, PluginHooks

__all__ = ["LoadedPlugins", "PluginInfo", "error_summary"]

LOAD_SECONDS = 15.0
HEALTH_SECONDS = 60.0
CLOSE_SECONDS = 5.0


class PluginInfo(BaseModel):
    """The description of a plugin that `plugins list` and `doctor` print.

    `origin` is the package or the file it comes from, `version` the package's or the file's
    `__version__`. A plugin that is not `enabled` was not imported. `error` is the reason why a
    broken one was left out. `health` is the result of the plugin's self-test, None unless it was
    requested.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    origin: str
    enabled: bool = True
    version: str | None = None
    hooks: tuple[str, ...] = ()
    error: str | None = None
    health: dict[str, JsonValue] | None = None


class LoadedPlugins:
    """The enabled plugins, imported; `on_notice` receives one line for each that was left out.

    `entry_points` replaces the installed plugins and the user's files. Raises UsageError when the
    user's choice of plugins cannot be read.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None],
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
    ) -> None:
        self._notice = on_notice
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(PluginHooks)
        self._infos: dict[str, PluginInfo] = {}
        if entry_points is None:
            sources = find_plugin_sources()
        else:
            sources = sorted(
                map(source_of_entry_point, entry_points), key=lambda source: source.name
            )
        for source in sources:
            self._load(source)

    def names(self) -> tuple[str, ...]:
        """Return the names of the plugins in use."""
        return tuple(name for name, info in self._infos.items() if _in_use(info))

    def having(self, hook: str) -> list[str]:
        """Return the names of the plugins that implement the hook."""
        return [name for name, info in self._infos.items() if hook in info.hooks]

    def describe(self, health: bool = False) -> tuple[PluginInfo, ...]:
        """Return every plugin, broken ones too; `health` also runs each one's self-test (slow)."""
        if not health:
            return tuple(self._infos.values())
        return tuple(
            info.model_copy(update={"health": self._health(info.name)}) if _in_use(info) else info
            for info in self._infos.values()
        )

    def call(self, name: str, hook: str, **arguments: object) -> object:
        """Call a hook of one plugin only, so that its errors concern no other.

        Returns None when the plugin does not implement the hook; raises what the hook raises.
        """
        target = self._manager.get_plugin(name)
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not target]
        results = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results[0] if results else None

    def close(self) -> None:
        """End the plugins' processes; a later check would start them again."""
        for name in self.having("close"):
            try:
                call_with_timeout(partial(self.call, name, "close"), CLOSE_SECONDS)
            except Exception as error:
                self._notice(f"plugin '{name}' did not close: {error_summary(error)}")

    def _load(self, source: PluginSource) -> None:
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
                info = info.model_copy(update={"error": error_summary(error)})
                self._notice(f"plugin '{name}' left out: {error_summary(error)}")
        self._infos[name] = info

    def _register(self, source: PluginSource) -> dict[str, object]:
        with contextlib.redirect_stdout(sys.stderr):  # stdout holds the answer only
            plugin = call_with_timeout(source.load, LOAD_SECONDS)
        self._manager.register(plugin, name=source.name)
        hooks = tuple(sorted(c.name for c in self._manager.get_hookcallers(plugin) or ()))
        if not hooks:
            raise ImportError("it has no function marked @hookimpl")
        version = source.version or getattr(plugin, "__version__", None)
        return {"hooks": hooks, "version": None if version is None else str(version)}

    def _health(self, name: str) -> dict[str, JsonValue]:
        try:
            report = call_with_timeout(partial(self.call, name, "health"), HEALTH_SECONDS)
        except Exception as error:
            return {"ok": False, "detail": error_summary(error)}
        return report if isinstance(report, dict) else {"ok": True, "detail": "no health report"}


def error_summary(error: BaseException) -> str:
    """Return an exception as one line of at most 200 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 200 else text[:199] + "…"


def _in_use(info: PluginInfo) -> bool:
    return info.enabled and info.error is None
