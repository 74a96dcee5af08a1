"""`reasoner models`: what is known, what is here, fetching and removing it."""

import json as jsonlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reasoner.cli import complete
from reasoner.cli.command import Commands

if TYPE_CHECKING:
    from reasoner.models.metadata import ModelInfo
    from reasoner.models.spec import ModelFile, ModelSpec

__all__ = ["app"]

app = Commands("List, fetch, inspect and remove models.")


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Alias, path to a GGUF, or owner/repo[:quant or file] on the Hub.",
        autocompletion=complete.models,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object or list on stdout.")]


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the models that can be named, and those that are here."""
    from reasoner.models.catalog import registry
    from reasoner.models.here import find_models

    here = {model.name: model for model in find_models()}
    specs = registry()
    rows = [_row(name, specs.get(name), here.get(name)) for name in dict.fromkeys([*specs, *here])]
    if json:
        _print_json(rows)
    else:
        _print_table(rows)


@app.command()
def pull(
    name: Name,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notices.")] = False,
) -> None:
    """Fetch a model and print its path.

    An interrupted download goes on where it was; the file's SHA-256 is checked where it is known.
    """
    from reasoner.cli.output.progress import draw_progress
    from reasoner.models.ensure import ensure_model
    from reasoner.models.progress import silent

    model = ensure_model(
        name,
        offline=_offline(),
        on_notice=silent if quiet else _notice,
        on_progress=draw_progress(sys.stderr, quiet=quiet),
    )
    if json:
        _print_json(_row(model.name, model.spec, model))
    else:
        print(model.path)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show what is known about a model.

    For one that is here, also what its file says: size, template, context, what it can be used for.
    """
    from reasoner.errors import ModelError
    from reasoner.models.catalog import registry
    from reasoner.models.here import find_model
    from reasoner.models.metadata import read_info

    model = find_model(name)
    spec = model.spec if model else registry().get(name)
    if model is None and spec is None:
        raise ModelError(f"{name} is not on this machine; run `reasoner models pull {name}` first")
    row = _row(name, spec, model)
    info = read_info(model.path) if model else None
    if json:
        _print_json(row | {"spec": _dump(spec), "file": _dump(info)})
    else:
        _print_details(row, spec, info)


@app.command("rm")
def remove(name: Name, json: Json = False) -> None:
    """Remove a fetched model and what unfinished downloads of it left."""
    from reasoner.models.here import remove_model

    gone = remove_model(name)
    if json:
        _print_json({"name": name, "removed": [str(path) for path in gone]})
    else:
        for path in gone:
            print(f"removed {path}")


@app.command()
def path(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A model; without it: where models are kept."),
    ] = None,
    json: Json = False,
) -> None:
    """Print where a model is, or where models are kept."""
    from reasoner.errors import ModelError
    from reasoner.models.here import find_model
    from reasoner.settings import directories

    found = directories().models
    if name is not None:
        if (model := find_model(name)) is None:
            raise ModelError(
                f"{name} is not on this machine; run `reasoner models pull {name}` first"
            )
        found = model.path
    if json:
        _print_json({"name": name, "path": str(found)})
    else:
        print(found)


def _offline() -> bool:
    from reasoner.settings import Settings

    return Settings.load().offline


def _notice(line: str) -> None:
    from reasoner.cli.output.terminal import complain

    complain(line)


def _row(name: str, spec: "ModelSpec | None", model: "ModelFile | None") -> dict[str, Any]:
    """One model as plain data: the same for the table and for JSON."""
    size = model.path.stat().st_size if model else spec.size if spec else None
    return {
        "name": name,
        "description": spec.description if spec else "",
        "use": spec.use if spec else None,
        "protocol": spec.protocol if spec else None,
        "size": size,
        "license": spec.license if spec else None,
        "repo": spec.repo if spec else None,
        "cached": model is not None,
        "path": str(model.path) if model else None,
    }


def _dump(data: "ModelSpec | ModelInfo | None") -> Any:
    return data.model_dump(mode="json") if data is not None else None


def _print_json(data: Any) -> None:
    print(jsonlib.dumps(data, indent=2, ensure_ascii=False))


COLUMNS = {"NAME": 0, "SIZE": 0, "USE": 80, "PROTOCOL": 80, "HERE": 0, "DESCRIPTION": 60}
"""The table's headings, and how wide a terminal has to be for each."""


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reasoner.cli.output.terminal import colourful
    from reasoner.models.space import human_size

    console = Console(color_system="auto" if colourful(sys.stdout) else None)
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    headings = [name for name, width in COLUMNS.items() if console.width >= width]
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading == "SIZE" else "left",
            no_wrap=heading != "DESCRIPTION",
        )
    for row in rows:
        size = human_size(row["size"]) if row["size"] else ""
        cells = {"NAME": row["name"], "SIZE": size, "USE": row["use"], "PROTOCOL": row["protocol"]}
        cells |= {"HERE": "yes" if row["cached"] else "", "DESCRIPTION": row["description"]}
        table.add_row(*(Text(cells[heading] or "") for heading in headings))
    console.print(table)


def _print_details(row: dict[str, Any], spec: "ModelSpec | None", info: "ModelInfo | None") -> None:
    """One `name  value` line each; what the file says goes over what the registry says."""
    from reasoner.cli.output.terminal import one_line
    from reasoner.models.space import human_size

    lines: dict[str, Any] = {key: row[key] for key in ("name", "description", "path", "repo")}
    lines |= {"size": human_size(row["size"]) if row["size"] else None, "license": row["license"]}
    if spec is not None:
        lines |= {
            "use": spec.use,
            "sampling": ", ".join(f"{k}={v}" for k, v in spec.sampling.items()),
        }
        lines |= {"protocol": spec.protocol, "value format": spec.format, "sha256": spec.sha256}
    if info is not None:
        lines |= _file_lines(info, spec)
    else:
        lines["here"] = f"no; reasoner models pull {row['name']}"
    for key, value in lines.items():
        if value not in (None, ""):
            print(f"{key:<15}{one_line(str(value))}")


def _file_lines(info: "ModelInfo", spec: "ModelSpec | None") -> dict[str, Any]:
    template = info.chat_template
    guess = None if spec and spec.protocol else f"{info.protocol} (from the vocabulary)"
    return ({"protocol": guess} if guess else {}) | {
        "architecture": info.architecture,
        "quantization": info.quantization,
        "parameters": f"{info.parameters / 1e6:,.0f} M",
        "context": info.context,
        "embedding": info.embedding,
        "layers": info.layers,
        "vocabulary": info.vocabulary,
        "bos, eos": f"{info.bos or '-'}  {info.eos or '-'}",
        "special tokens": " ".join(info.special_tokens),
        "chat template": f"yes, {len(template)} characters" if template else "none",
        "policy": f"{'yes' if info.policy else 'no'}: {info.policy_reason}",
        "value model": f"{info.value or 'no'}: {info.value_reason}",
        "value formats": ", ".join(info.value_formats),
    }
