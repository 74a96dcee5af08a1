"""`reasoner paths`: the folders and files of the program."""

from typing import Annotated

import typer

from reasoner.cli.options.json_output import print_json
from reasoner.settings import directories

__all__ = ["paths"]


def paths(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show where configuration, models and data live."""
    dirs = directories()
    places = {
        "config": dirs.config,
        "config_file": dirs.config_file,
        "models_file": dirs.models_file,
        "plugins": dirs.plugins,
        "plugins_file": dirs.plugins_file,
        "cache": dirs.cache,
        "models": dirs.models,
        "data": dirs.data,
        "history": dirs.history_file,
    }
    if json:
        print_json({name: str(path) for name, path in places.items()})
        return
    for name, path in places.items():
        print(f"{name:<12} {path}")
