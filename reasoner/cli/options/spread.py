"""The fields of a command's dataclass parameters as options of the command."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any

__all__ = ["spread_options"]


def spread_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with each field of its dataclass parameters as an option for Typer.

    Called with these options, it builds the dataclasses and passes them on to `command`.
    """
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command).parameters.values():
        if hasattr(parameter.annotation, "__dataclass_fields__"):
            groups[parameter.name] = parameter.annotation
            parameters += _field_parameters(parameter.annotation)
        else:
            parameters.append(parameter)

    def wrapper(**values: Any) -> None:
        for name, group in groups.items():
            names = [field.name for field in fields(group)]
            values[name] = group(**{field: values.pop(field) for field in names})
        command(**values)

    wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
    wrapper.__module__ = command.__module__
    wrapper.__annotations__ = {item.name: item.annotation for item in parameters}
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapper


def _field_parameters(group: Any) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(
            field.name,
            kind,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in _own_fields_first(group)
    ]


def _own_fields_first(group: Any) -> list[Field[Any]]:
    """Return the fields of a dataclass, and after them those that it inherits."""
    order = [name for cls in group.__mro__ for name in vars(cls).get("__annotations__", {})]
    return sorted(fields(group), key=lambda field: order.index(field.name))
