"""`reasoner strategies`: the search strategies and the options of each."""

import json as jsonlib
from typing import Annotated, Any

import typer

from reasoner.cli.help.commands import Commands
from reasoner.cli.options.json_output import print_readable_json
from reasoner.search.strategies.parameters import describe_parameters
from reasoner.search.strategies.registry import STRATEGIES
from reasoner.search.strategies.strategy import Strategy

__all__ = ["app"]

app = Commands("List the strategies: how candidates are generated, and how one is chosen.")


@app.command("list")
def list_strategies(
    json: Annotated[bool, typer.Option("--json", help="A JSON list on stdout.")] = False,
) -> None:
    """List the strategies and the options they take.

    A line is what a strategy does; below it stand its options, as -S KEY=VALUE takes them.
    """
    rows = [_row(name, strategy) for name, strategy in STRATEGIES.items()]
    if json:
        print_readable_json(rows)
        return
    for row in rows:
        print(f"{row['name']:<20} {row['summary']}")
        for option in row["options"]:
            print(
                f"    {_default_text(option):<16} {option['description']}"
                f"{_bounds_text(option['schema'])}"
            )


def _row(name: str, strategy: Strategy[Any]) -> dict[str, Any]:
    options = list(describe_parameters(strategy.parameters))
    return {"name": name, "summary": strategy.summary, "options": options}


def _default_text(option: dict[str, Any]) -> str:
    """Return an option with its default, as `KEY=VALUE`."""
    default = option["default"]
    shown = default if isinstance(default, str) else jsonlib.dumps(default)
    return f"{option['name']}={shown}"


def _bounds_text(schema: dict[str, Any]) -> str:
    """Return the values an option takes, such as ` (1 to 64)`, or nothing when any will do."""
    if choices := schema.get("enum"):
        return f" ({', '.join(choices)})"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return f" ({low} to {high})" if low is not None and high is not None else ""
