"""A command's dataclass parameters as options of their own."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

__all__ = ["spread"]


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give Typer each field of a command's dataclass parameters as an option of its own."""
    plain: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command).parameters.values():
        if hasattr(parameter.annotation, "__dataclass_fields__"):
            groups[parameter.name] = parameter.annotation
            plain += _parameters(parameter.annotation)
        else:
            plain.append(parameter)

    def wrapper(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
    wrapper.__module__ = command.__module__
    wrapper.__annotations__ = {item.name: item.annotation for item in plain}
    wrapper.__signature__ = inspect.Signature(plain)  # type: ignore[attr-defined]
    return wrapper


def _parameters(group: Any) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(
            field.name,
            kind,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(group)
    ]
