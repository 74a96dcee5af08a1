"""The models people can name: the shipped models.toml, extended and overridden by the user's."""

import tomllib
from pathlib import Path
from typing import Any

from reasoner.errors import UsageError
from reasoner.models.spec import ModelSpec
from reasoner.settings import directories

__all__ = ["registry"]

SHIPPED = Path(__file__).parent.parent / "models.toml"
SOURCE = {"repo", "file", "revision", "path"}
"""Fields that say which file it is: who changes one of them means another file."""


def registry() -> dict[str, ModelSpec]:
    """Every known model by alias, the shipped ones first. A malformed file is a UsageError."""
    own = directories().models_file
    tables = _read(SHIPPED)
    origin = dict.fromkeys(tables, SHIPPED)
    for alias, table in _read(own).items() if own.exists() else ():
        tables[alias] = _override(tables.get(alias, {}), table)
        origin[alias] = own
    return {alias: _parse(origin[alias], alias, table) for alias, table in tables.items()}


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    for alias, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{file}: {alias}: a model is a table, like [{alias}]")
    return tables


def _override(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own fields win one by one; tables merge by key. Another file loses the old one's checksum."""
    if any(shipped.get(field) != own[field] for field in SOURCE & own.keys()):
        shipped = {
            key: value for key, value in shipped.items() if key not in {"sha256", "size", "wheels"}
        }
    merged = {**shipped, **own}
    for field, value in own.items():
        if isinstance(value, dict) and isinstance(shipped.get(field), dict):
            merged[field] = {**shipped[field], **value}
    return merged


def _parse(file: Path, alias: str, table: dict[str, Any]) -> ModelSpec:
    from pydantic import ValidationError

    from reasoner.settings import explain

    try:
        spec = ModelSpec(alias=alias, **table)
    except ValidationError as error:
        raise UsageError(f"{file}: {alias}: {explain(error)}") from error
    except TypeError as error:
        raise UsageError(f"{file}: {alias}: `alias` is the table's name, not a field") from error
    if spec.path is None:
        return spec
    return spec.model_copy(update={"path": file.parent / spec.path.expanduser()})
