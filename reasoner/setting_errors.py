"""What is wrong with settings: one line with each bad field and where its value comes from."""

import os
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reasoner.directories import directories
from reasoner.errors import UsageError
from reasoner.setting_origin import (
    LEVEL_MARK,
    VARIABLE_PREFIX,
    key_place,
    misspelt_variables,
    variable_of,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "explain",
    "explain_origins",
    "explain_unparsed_variable",
    "refuse_unusable_variables",
]

TEXT_SETTINGS = ("system", "stop", "api_key", "server")
"""Settings that are text; others are numbers and words, or name files, whose bytes are free."""


def refuse_unusable_variables(names: Collection[str]) -> None:
    """Raise UsageError for a variable of the environment that is spelt much like a setting, and
    for one whose bytes are no text."""
    for variable, nearest in misspelt_variables(names):
        raise UsageError(f"{variable} is no setting; did you mean {nearest}?")
    for name in TEXT_SETTINGS:
        variable = f"{VARIABLE_PREFIX}{name.upper()}"
        try:
            os.environ.get(variable, "").encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"{variable} is not UTF-8 text; give text, or convert it first"
            ) from None


def explain(error: ValidationError) -> str:
    """A pydantic error as one line that names each bad field."""
    return "; ".join(map(_explained, error.errors()))


def explain_origins(
    error: ValidationError, flags: Mapping[str, Any], names: Collection[str]
) -> str:
    """The error as one line that says of each bad field whether a variable or a line set it.

    `flags` were given to the program. `names` are the settings, such as `engine__threads`.
    """
    return "; ".join(
        _origin(item, flags) + (_unknown_key(item, names) or _explained(item))
        for item in error.errors()
    )


def explain_unparsed_variable(error: ValueError, names: Collection[str]) -> str:
    """What is wrong with a variable whose value has to be JSON, from pydantic's message."""
    field = next((name for name in sorted(names) if f'"{name}"' in str(error)), "")
    return f"{variable_of((field,)) or 'a variable'}: the value is not JSON, such as [1, 2]"


def _origin(item: "ErrorDetails", flags: Mapping[str, Any]) -> str:
    location = item["loc"]
    if not location or location[0] in flags:
        return ""
    variable = variable_of(location)
    return f"{variable or key_place(directories().config_file, location)}: "


def _unknown_key(item: "ErrorDetails", names: Collection[str]) -> str | None:
    """That no setting has this name, with the nearest one; None for another error."""
    if item["type"] != "extra_forbidden":
        return None
    key = LEVEL_MARK.join(map(str, item["loc"]))
    near = get_close_matches(key, names, n=1)
    meant = f"; did you mean {near[0].replace(LEVEL_MARK, '.')}?" if near else ""
    return f"no setting is named '{key.replace(LEVEL_MARK, '.')[:60]}'{meant}"


def _explained(item: "ErrorDetails") -> str:
    field, message = ".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, ")
    is_ours = message != item["msg"]  # a whole sentence, which names what it is about
    return message if is_ours and not field else f"{field or 'value'}: {message}"
