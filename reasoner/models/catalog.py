"""The models people can name: the shipped models.toml, extended and overridden by the user's."""

import tomllib
from pathlib import Path
from typing import Any

from reasoner.errors import UsageError
from reasoner.models.format import ValueFormat
from reasoner.models.spec import ModelSpec
from reasoner.settings import directories

__all__ = ["formats", "registry"]

SHIPPED = Path(__file__).parent.parent / "models.toml"
SOURCE = {"repo", "file", "revision", "path", "url"}
"""Fields that say which file it is: who changes one of them means another file."""
BOUND = {"sha256", "size", "wheels", "head"}
"""Fields that are true of that one file only."""
FORMATS = "value-formats"
"""The one table that is no model: it holds the formats of value models by name."""


def registry() -> dict[str, ModelSpec]:
    """Every known model by alias, the shipped ones first. A malformed file is a UsageError."""
    known = formats()
    return {
        alias: _parse(origin, alias, table, known) for alias, (origin, table) in _tables().items()
    }


def formats() -> dict[str, ValueFormat]:
    """Every known format of value models by name. A malformed file is a UsageError."""
    from pydantic import ValidationError

    from reasoner.settings import explain

    found = {}
    for file in _files():
        for name, table in _read(file).get(FORMATS, {}).items():
            try:
                found[name] = ValueFormat(name=name, **table)
            except ValidationError as error:
                raise UsageError(f"{file}: {FORMATS}.{name}: {explain(error)}") from error
            except TypeError as error:
                raise UsageError(f"{file}: {FORMATS}.{name}: a format is a table") from error
    return found


def _files() -> list[Path]:
    own = directories().models_file
    return [SHIPPED, own] if own.exists() else [SHIPPED]


def _tables() -> dict[str, tuple[Path, dict[str, Any]]]:
    """Each model's fields, and the file that spoke last."""
    tables: dict[str, tuple[Path, dict[str, Any]]] = {}
    for file in _files():
        for alias, table in _read(file).items():
            if alias != FORMATS:
                shipped = tables[alias][1] if alias in tables else {}
                tables[alias] = (file, _override(shipped, _placed(file, table)))
    return tables


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    for alias, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{file}: {alias}: a model is a table, like [{alias}]")
    return tables


def _placed(file: Path, table: dict[str, Any]) -> dict[str, Any]:
    """The fields with files named from where they are read; who overrides others of a model's
    fields must not move these."""
    places = {key: table[key] for key in ("path", "head") if isinstance(table.get(key), str)}
    return {**table, **{key: file.parent / Path(name).expanduser() for key, name in places.items()}}


def _override(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own fields win one by one; tables merge by key. Another file loses what belongs to the old
    one: its checksum and its head."""
    if any(shipped.get(field) != own[field] for field in SOURCE & own.keys()):
        shipped = {key: value for key, value in shipped.items() if key not in BOUND}
    merged = {**shipped, **own}
    for field, value in own.items():
        if isinstance(value, dict) and isinstance(shipped.get(field), dict):
            merged[field] = {**shipped[field], **value}
    return merged


def _parse(
    file: Path, alias: str, table: dict[str, Any], known: dict[str, ValueFormat]
) -> ModelSpec:
    from pydantic import ValidationError

    from reasoner.settings import explain

    try:
        spec = ModelSpec(alias=alias, **table)
    except ValidationError as error:
        raise UsageError(f"{file}: {alias}: {explain(error)}") from error
    except TypeError as error:
        raise UsageError(f"{file}: {alias}: `alias` is the table's name, not a field") from error
    if spec.format is not None and spec.format not in known:
        raise UsageError(f"{file}: {alias}: no value format named '{spec.format}'")
    return spec
