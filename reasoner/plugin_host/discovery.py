"""Discovery of plugins: entry points of installed packages, and files in the user's folder.

The plugins of an installed package are enabled until the user disables them, because installing
is a decision. A file in the folder is imported only after the user enabled it by name. Imported
plugins run in this process with all of the user's rights.
"""

import importlib.metadata
import importlib.util
import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reasoner.atomic_file import write_atomically
from reasoner.errors import UsageError
from reasoner.plugin_host.hookspecs import GROUP
from reasoner.settings import directories

__all__ = ["PluginSource", "find_plugin_sources", "set_plugin_enabled", "source_of_entry_point"]


@dataclass(frozen=True)
class PluginSource:
    """A plugin that can be loaded.

    `origin` is the name of an installed distribution or a file's path, `module` the module that an
    entry point names (empty for a file), and `load` imports the plugin.
    """

    name: str
    origin: str
    version: str | None
    enabled: bool
    load: Callable[[], object]
    module: str = ""


def find_plugin_sources() -> list[PluginSource]:
    """Return every plugin, enabled or not.

    Raises UsageError when the file with the user's choices cannot be read.
    """
    choices = _choices()
    entries = importlib.metadata.entry_points(group=GROUP)
    installed = [source_of_entry_point(entry, choices.get(entry.name, True)) for entry in entries]
    return [*sorted(installed, key=lambda source: source.name), *_files(choices)]


def source_of_entry_point(
    entry: importlib.metadata.EntryPoint, enabled: bool = True
) -> PluginSource:
    """Return the plugin that an entry point names."""
    package = entry.dist
    origin, version = (package.name, package.version) if package else (entry.value, None)
    return PluginSource(entry.name, origin, version, enabled, entry.load, entry.module)


def set_plugin_enabled(name: str, enabled: bool) -> None:
    """Store whether a plugin is to be loaded.

    Raises UsageError when the file with the user's choices cannot be read.
    """
    choices = _choices() | {name: enabled}
    path = directories().plugins_file
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(key)} = {str(on).lower()}\n" for key, on in sorted(choices.items())]
    header = "# Written by `reasoner plugins enable` and `disable`.\n"
    write_atomically(path, header + "".join(lines))


def _choices() -> dict[str, bool]:
    path = directories().plugins_file
    try:
        choices = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {path}: {error}; repair or delete it") from error
    return {name: enabled for name, enabled in choices.items() if isinstance(enabled, bool)}


def _files(choices: dict[str, bool]) -> Iterator[PluginSource]:
    for path in sorted(directories().plugins.glob("*.py")):
        if path.stem.isidentifier() and path.is_file():
            enabled = choices.get(path.stem, False)
            yield PluginSource(path.stem, str(path), None, enabled, _importer(path))


def _importer(path: Path) -> Callable[[], object]:
    def load() -> object:
        name = f"reasoner_plugins.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot import {path}")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load
