"""The option --json, and JSON on stdout."""

import json
import sys
from typing import Annotated, Any

import typer

from reasoner.cli.output.json_text import escape_json

__all__ = ["JsonFlag", "print_json", "print_readable_json"]

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object or list on stdout.")]


def print_json(data: Any, *, indent: int | None = None, ensure_ascii: bool = True) -> None:
    """Print `data` as JSON, on one line unless `indent` is given."""
    text = json.dumps(data, indent=indent, ensure_ascii=ensure_ascii)
    print(escape_json(text, sys.stdout), flush=True)


def print_readable_json(data: Any) -> None:
    """Print `data` as indented JSON, with letters of any script as they are."""
    print_json(data, indent=2, ensure_ascii=False)
