"""What `reasoner models` prints for people: tables of models, and the facts about one."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reasoner.cli.commands.models_protocol import describe_protocol
from reasoner.cli.output.terminal import colourful, one_line
from reasoner.models.metadata import ModelMetadata
from reasoner.models.space import format_bytes
from reasoner.models.spec import ModelSpec

__all__ = ["print_model", "print_models", "print_recommendations"]

PIPE_COLUMNS = 200
"""Width of the table where stdout is no terminal."""
LIST_HEADINGS = {"NAME": 0, "SIZE": 0, "USE": 110, "PROTOCOL": 110, "HERE": 50, "DESCRIPTION": 76}
"""The headings of the list, and how wide a terminal has to be for each of them."""
RECOMMENDATION_HEADINGS = {
    **{"NAME": 0, "SIZE": 0, "SPEED": 60, "TOKENS/S": 110, "MEMORY": 110},
    **{"HERE": 100, "GOOD FOR": 76},
}
WRAPPED_HEADINGS = {"DESCRIPTION", "GOOD FOR"}
RIGHT_HEADINGS = {"SIZE", "TOKENS/S", "MEMORY"}
UNTRIED = "not tried"
"""In place of whether a model is here: its entry is published data that nobody here has tried."""


def print_models(rows: list[dict[str, Any]]) -> None:
    """Print a table with a row for each model; narrow terminals get fewer columns."""
    _print_table(LIST_HEADINGS, [_list_cells(row) for row in rows])


def print_recommendations(rows: list[dict[str, Any]]) -> None:
    """Print a table with a row for each model that fits; narrow terminals get fewer columns."""
    _print_table(RECOMMENDATION_HEADINGS, [_recommendation_cells(row) for row in rows])


def _print_table(headings: Mapping[str, int], rows: Sequence[Mapping[str, str | None]]) -> None:
    """Print the columns that the terminal is wide enough for; pipes get all of them."""
    console = Console(color_system="auto" if colourful(sys.stdout) else None)
    if not console.is_terminal:
        console = Console(width=PIPE_COLUMNS)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown = [name for name, width in headings.items() if console.width >= width]
    for heading in shown:
        table.add_column(
            heading,
            justify="right" if heading in RIGHT_HEADINGS else "left",
            no_wrap=heading not in WRAPPED_HEADINGS,
        )
    for cells in rows:
        table.add_row(*(Text(cells[heading] or "") for heading in shown))
    console.print(table)


def _list_cells(row: dict[str, Any]) -> dict[str, str | None]:
    size = format_bytes(row["size"]) if row["size"] else ""
    cells = {"NAME": row["name"], "SIZE": size, "USE": row["use"], "PROTOCOL": row["protocol"]}
    return cells | {"HERE": _presence(row), "DESCRIPTION": row["description"]}


def _recommendation_cells(row: dict[str, Any]) -> dict[str, str | None]:
    speed = row["tokens_per_second"]
    return {
        "NAME": row["name"],
        "SIZE": format_bytes(row["size"]) if row["size"] else "size unknown",
        "SPEED": row["speed"],
        "TOKENS/S": None if speed is None else f"~{speed:.0f}" if speed >= 1 else f"~{speed:.1f}",
        "MEMORY": format_bytes(row["memory"]) if row["memory"] else None,
        "HERE": _presence(row),
        "GOOD FOR": row["description"],
    }


def _presence(row: dict[str, Any]) -> str:
    return "yes" if row["cached"] else UNTRIED if row["untried"] else ""


def print_model(row: dict[str, Any], spec: ModelSpec | None, info: ModelMetadata | None) -> None:
    """Print a `name  value` line for each fact; those of the file replace those of the registry."""
    lines: dict[str, Any] = {key: row[key] for key in ("name", "description", "path", "repo")}
    lines |= {"size": format_bytes(row["size"]) if row["size"] else None, "license": row["license"]}
    if spec is not None:
        lines |= _spec_lines(spec)
    if info is not None:
        lines |= _file_lines(info, spec)
    else:
        lines["here"] = f"no; reasoner models pull {row['name']}"
    for key, value in lines.items():
        if value not in (None, ""):
            print(f"{key:<15}{one_line(str(value))}")


def _spec_lines(spec: ModelSpec) -> dict[str, Any]:
    return {
        "tried": "no: this is what is published, nobody here has run it" if spec.untried else None,
        "use": spec.use,
        "sampling": ", ".join(f"{key}={value}" for key, value in spec.sampling.items()),
        "protocol": spec.protocol,
        "value format": spec.format,
        "sha256": spec.sha256,
    }


def _file_lines(info: ModelMetadata, spec: ModelSpec | None) -> dict[str, Any]:
    template = info.chat_template
    return describe_protocol(info, spec) | {
        "architecture": info.architecture,
        "quantization": info.quantization,
        "parameters": f"{info.parameters / 1e6:,.0f} M",
        "files": info.parts if info.parts > 1 else None,
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
