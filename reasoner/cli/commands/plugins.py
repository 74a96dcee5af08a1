"""`reasoner plugins`: list plugins, enable and disable them."""

from contextlib import suppress
from typing import Annotated

import typer

from reasoner.cli.help.commands import Commands
from reasoner.cli.options.json_output import print_json
from reasoner.cli.output.terminal import one_line
from reasoner.errors import ReasonerError, UnknownName
from reasoner.plugin_host.discovery import find_plugin_sources, set_plugin_enabled
from reasoner.plugin_host.host import PluginHost
from reasoner.plugin_host.loading import PluginInfo
from reasoner.settings import directories

__all__ = ["app"]

app = Commands("List, enable and disable plugins.")


def _complete_plugins(incomplete: str) -> list[str]:
    """Return the names of plugins that begin with `incomplete`; none when they cannot be read."""
    with suppress(Exception):
        return [
            source.name for source in find_plugin_sources() if source.name.startswith(incomplete)
        ]
    return []


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="As `reasoner plugins list` has it.",
        autocompletion=_complete_plugins,
        show_default=False,
    ),
]


@app.command("list")
def list_plugins(
    json: Annotated[bool, typer.Option("--json", help="One JSON list on stdout.")] = False,
) -> None:
    """List every plugin.

    A line is its name, version, state, origin and hooks. Plugins are entry points of installed
    packages (on until disabled) and single files in the plugins folder of `reasoner paths` (off
    until enabled).
    """
    with PluginHost() as verifiers:
        plugins = verifiers.describe()
    if json:
        print_json([info.model_dump(exclude={"health"}) for info in plugins])
        return
    for info in plugins:
        _print_line(info)


@app.command()
def enable(name: Name) -> None:
    """Load a plugin from now on.

    It then runs inside this program, with all of your rights: enable only what you would run.
    """
    _require_plugin(name)
    set_plugin_enabled(name, enabled=True)
    with PluginHost() as verifiers:
        (info,) = (info for info in verifiers.describe() if info.name == name)
    _print_line(info)
    _require_loaded(info)


@app.command()
def disable(name: Name) -> None:
    """Do not load a plugin any more."""
    _require_plugin(name)
    set_plugin_enabled(name, enabled=False)
    print(f"{name} is off")


def _require_loaded(info: PluginInfo) -> None:
    if info.error:
        raise ReasonerError(f"plugin '{info.name}' is enabled, but it does not load: {info.error}")


def _require_plugin(name: str) -> None:
    """Raise UnknownName when no plugin has that name."""
    names = [source.name for source in find_plugin_sources()]
    if name not in names:
        hint = f"(plugin files belong into {directories().plugins})"
        raise UnknownName("plugin", name[:60], names, hint=hint)


def _print_line(info: PluginInfo) -> None:
    state = "off" if not info.enabled else "broken" if info.error else "on"
    detail = info.error or ", ".join(info.hooks)
    columns = f"{info.name:<16} {info.version or '-':<8} {state:<7} {info.origin}"
    print(one_line(f"{columns}  {detail}".rstrip()))
