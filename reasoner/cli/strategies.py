"""`reasoner strategies`: the ways to search, and what each can be told."""

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reasoner.cli.command import Commands

if TYPE_CHECKING:
    from reasoner.strategies.strategy import Strategy

__all__ = ["app"]

app = Commands("List the strategies: how lines of thought grow, and how one is chosen.")


@app.command("list")
def list_strategies(
    json: Annotated[bool, typer.Option("--json", help="A JSON list on stdout.")] = False,
) -> None:
    """List the strategies and the options they take.

    A line is what a strategy does; below it stand its options, as -S KEY=VALUE takes them.
    """
    from reasoner.strategies.registry import STRATEGIES

    rows = [_row(name, strategy) for name, strategy in STRATEGIES.items()]
    if json:
        print(jsonlib.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['name']:<20} {row['summary']}")
        for option in row["options"]:
            print(f"    {_setting(option):<16} {option['description']}{_bounds(option['schema'])}")


def _row(name: str, strategy: "Strategy[Any]") -> dict[str, Any]:
    from reasoner.strategies.parameters import describe

    options = list(describe(strategy.parameters))
    return {"name": name, "summary": strategy.summary, "options": options}


def _setting(option: dict[str, Any]) -> str:
    default = option["default"]
    shown = default if isinstance(default, str) else jsonlib.dumps(default)
    return f"{option['name']}={shown}"


def _bounds(schema: dict[str, Any]) -> str:
    """` (1 to 64)`, ` (last, min, product, mean)` or nothing."""
    if choices := schema.get("enum"):
        return f" ({', '.join(choices)})"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return f" ({low} to {high})" if low is not None and high is not None else ""
