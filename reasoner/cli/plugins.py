"""`reasoner plugins`: which checks there are, and turning them on and off."""

import json as jsonlib
from typing import TYPE_CHECKING, Annotated

import typer

from reasoner.cli.command import Commands
from reasoner.errors import ReasonerError, UnknownName

if TYPE_CHECKING:
    from reasoner.verify.plugins import PluginInfo

__all__ = ["app"]

app = Commands("List, enable and disable plugins.")


def _complete(incomplete: str) -> list[str]:
    """The names a shell may complete to."""
    try:
        from reasoner.verify.sources import find_sources

        return [source.name for source in find_sources() if source.name.startswith(incomplete)]
    except Exception:
        return []


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="As `reasoner plugins list` has it.",
        autocompletion=_complete,
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
    from reasoner.verify.host import Verifiers

    with Verifiers() as verifiers:
        found = verifiers.describe()
    if json:
        print(jsonlib.dumps([info.model_dump(exclude={"health"}) for info in found]))
        return
    for info in found:
        _show(info)


@app.command()
def enable(name: Name) -> None:
    """Load a plugin from now on.

    It then runs inside this program, with all of your rights: enable only what you would run.
    """
    from reasoner.verify.host import Verifiers
    from reasoner.verify.sources import choose

    _known(name)
    choose(name, enabled=True)
    with Verifiers() as verifiers:
        (info,) = (info for info in verifiers.describe() if info.name == name)
    _show(info)
    if info.error:
        raise ReasonerError(f"plugin '{name}' is enabled, but it does not load: {info.error}")


@app.command()
def disable(name: Name) -> None:
    """Do not load a plugin any more."""
    from reasoner.verify.sources import choose

    _known(name)
    choose(name, enabled=False)
    print(f"{name} is off")


def _known(name: str) -> None:
    """Raise UnknownName for a name that no plugin has."""
    from reasoner.settings import directories
    from reasoner.verify.sources import find_sources

    names = [source.name for source in find_sources()]
    if name not in names:
        hint = f"(plugin files belong into {directories().plugins})"
        raise UnknownName("plugin", name[:60], names, hint=hint)


def _show(info: "PluginInfo") -> None:
    from reasoner.cli.output.terminal import one_line

    state = "off" if not info.enabled else "broken" if info.error else "on"
    detail = info.error or ", ".join(info.hooks)
    columns = f"{info.name:<16} {info.version or '-':<8} {state:<7} {info.origin}"
    print(one_line(f"{columns}  {detail}".rstrip()))
