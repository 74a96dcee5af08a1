"""`reasoner models`: list, recommend, fetch, inspect and remove models."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from reasoner.cli.commands.models_protocol import describe_protocol
from reasoner.cli.commands.models_view import print_model, print_models, print_recommendations
from reasoner.cli.help.commands import Commands
from reasoner.cli.help.completion import complete_models
from reasoner.cli.options.json_output import JsonFlag, print_readable_json
from reasoner.cli.output.progress import draw_progress
from reasoner.cli.output.terminal import print_error
from reasoner.cli.recommendations import describe_machine, inspect_machine
from reasoner.errors import ModelError
from reasoner.models.fetch import ensure_model
from reasoner.models.installed import find_model, find_models, remove_model
from reasoner.models.metadata import ModelMetadata, read_metadata
from reasoner.models.progress import ignore_notice
from reasoner.models.recommend import recommend_models
from reasoner.models.registry import load_registry
from reasoner.models.shards import model_size
from reasoner.models.spec import ModelFile, ModelSpec
from reasoner.settings import Settings, directories

__all__ = ["app"]

app = Commands("List, recommend, fetch, inspect and remove models.")

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Alias, path to a GGUF, or owner/repo[:quant or file] on the Hub.",
        autocompletion=complete_models,
    ),
]


@app.command("list")
def list_models(json: JsonFlag = False) -> None:
    """List the models that can be named, and those that are here."""
    files = {model.name: model for model in find_models()}
    specs = load_registry()
    rows = [
        _row(name, specs.get(name), files.get(name)) for name in dict.fromkeys([*specs, *files])
    ]
    if json:
        print_readable_json(rows)
    else:
        print_models(rows)


@app.command()
def recommend(json: JsonFlag = False) -> None:
    """List the models that fit this machine, the one to try first at the top.

    Size, speed and memory are estimates: each token reads the weights that it uses from memory,
    whose bandwidth is measured. Nothing is fetched.
    """
    machine = inspect_machine()
    files = {model.name: model for model in find_models()}
    rows = [
        _row(model.spec.alias, model.spec, files.get(model.spec.alias))
        | model.model_dump(include={"size", "memory", "tokens_per_second", "speed"})
        for model in recommend_models(load_registry().values(), machine, files)
    ]
    if json:
        print_readable_json({"machine": asdict(machine), "models": rows})
    else:
        print_recommendations(rows)
        print(describe_machine(machine), file=sys.stderr)


@app.command()
def pull(
    name: ModelName,
    json: JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notices.")] = False,
) -> None:
    """Fetch a model and print its path.

    An interrupted download goes on where it was; the file's SHA-256 is checked where it is known.
    """
    model = ensure_model(
        name,
        offline=Settings.load().offline,
        on_notice=ignore_notice if quiet else print_error,
        on_progress=draw_progress(sys.stderr, quiet=quiet),
    )
    if json:
        print_readable_json(_row(model.name, model.spec, model))
    else:
        print(model.path)


@app.command()
def show(name: ModelName, json: JsonFlag = False) -> None:
    """Show what is known about a model.

    For one that is here, also what its file says: size, template, context, what it can be used for.
    """
    model = find_model(name)
    spec = model.spec if model else load_registry().get(name)
    if model is None and spec is None:
        raise _not_here(name)
    row = _row(name, spec, model)
    info = read_metadata(model.path) if model else None
    if json:
        protocol = describe_protocol(info, spec) if info else {}
        print_readable_json(row | protocol | {"spec": _dump(spec), "file": _dump(info)})
    else:
        print_model(row, spec, info)


@app.command("rm")
def remove(name: ModelName, json: JsonFlag = False) -> None:
    """Remove a fetched model and what unfinished downloads of it left."""
    removed_files = remove_model(name)
    if json:
        print_readable_json({"name": name, "removed": [str(path) for path in removed_files]})
    else:
        for path in removed_files:
            print(f"removed {path}")


@app.command()
def path(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A model; without it: where models are kept."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Print where a model is, or where models are kept."""
    place = directories().models if name is None else _model_path(name)
    if json:
        print_readable_json({"name": name, "path": str(place)})
    else:
        print(place)


def _model_path(name: str) -> Path:
    if (model := find_model(name)) is None:
        raise _not_here(name)
    return model.path


def _not_here(name: str) -> ModelError:
    return ModelError(f"{name} is not on this machine; run `reasoner models pull {name}` first")


def _row(name: str, spec: ModelSpec | None, model: ModelFile | None) -> dict[str, Any]:
    """Return one model as plain data, for the table and for JSON."""
    size = model_size(model.path) if model else spec.size if spec else None
    return {
        "name": name,
        "description": spec.description if spec else "",
        "use": spec.use if spec else None,
        "protocol": spec.protocol if spec else None,
        "size": size,
        "license": spec.license if spec else None,
        "repo": spec.repo if spec else None,
        "cached": model is not None,
        "untried": spec is not None and spec.untried,
        "path": str(model.path) if model else None,
    }


def _dump(data: ModelSpec | ModelMetadata | None) -> Any:
    return data.model_dump(mode="json") if data is not None else None
