"""Parameters of strategies: one validated model each, filled from `-S key=value`."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["NoParameters", "StrategyParameters", "describe_parameters"]


class StrategyParameters(BaseModel):
    """Base of every strategy's parameters; each field has a description, a default and bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParameters(StrategyParameters):
    """The parameters of strategies without any."""


def describe_parameters(parameters: type[StrategyParameters]) -> Iterator[dict[str, Any]]:
    """Each parameter's name, default, description and JSON schema."""
    schema = parameters.model_json_schema()["properties"] if parameters.model_fields else {}
    for name, field in parameters.model_fields.items():
        yield {
            "name": name,
            "default": field.default,
            "description": field.description or "",
            "schema": {k: v for k, v in schema[name].items() if k not in ("title", "description")},
        }
