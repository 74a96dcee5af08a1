"""`reasoner paths`: where things live."""

import json as jsonlib
from typing import Annotated

import typer

__all__ = ["paths"]


def paths(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show where configuration, models and data live."""
    from reasoner.settings import directories

    dirs = directories()
    found = {
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
        print(jsonlib.dumps({name: str(path) for name, path in found.items()}))
        return
    for name, path in found.items():
        print(f"{name:<12} {path}")
