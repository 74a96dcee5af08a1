"""What `reasoner models` prints for people: the table of models and the facts about one."""

import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reasoner.cli.output.terminal import colourful, one_line
from reasoner.models.metadata import ModelMetadata
from reasoner.models.space import format_bytes
from reasoner.models.spec import ModelSpec

__all__ = ["print_model", "print_models"]

PIPE_COLUMNS = 200
"""Width of the table where stdout is no terminal."""
MIN_TERMINAL_COLUMNS = {
    "NAME": 0,
    "SIZE": 0,
    "USE": 80,
    "PROTOCOL": 80,
    "HERE": 0,
    "DESCRIPTION": 60,
}
"""The table's headings, and how wide a terminal has to be for each of them."""


def print_models(rows: list[dict[str, Any]]) -> None:
    """Print a table with a row for each model; narrow terminals get fewer columns."""
    console = Console(color_system="auto" if colourful(sys.stdout) else None)
    if not console.is_terminal:
        console = Console(width=PIPE_COLUMNS)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    headings = [name for name, width in MIN_TERMINAL_COLUMNS.items() if console.width >= width]
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading == "SIZE" else "left",
            no_wrap=heading != "DESCRIPTION",
        )
    for row in rows:
        cells = _cells(row)
        table.add_row(*(Text(cells[heading] or "") for heading in headings))
    console.print(table)


def _cells(row: dict[str, Any]) -> dict[str, str | None]:
    size = format_bytes(row["size"]) if row["size"] else ""
    cells = {"NAME": row["name"], "SIZE": size, "USE": row["use"], "PROTOCOL": row["protocol"]}
    return cells | {"HERE": "yes" if row["cached"] else "", "DESCRIPTION": row["description"]}


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
        "use": spec.use,
        "sampling": ", ".join(f"{key}={value}" for key, value in spec.sampling.items()),
        "protocol": spec.protocol,
        "value format": spec.format,
        "sha256": spec.sha256,
    }


def _file_lines(info: ModelMetadata, spec: ModelSpec | None) -> dict[str, Any]:
    template = info.chat_template
    guess = None if spec and spec.protocol else f"{info.protocol} (from the vocabulary)"
    return ({"protocol": guess} if guess else {}) | {
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
