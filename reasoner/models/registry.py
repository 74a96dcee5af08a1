"""The models people can name: the shipped models.toml, extended and overridden by the user's.

Each file is read and validated once per process, and again when it has changed.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from reasoner.errors import UsageError
from reasoner.models.format import ValueFormat
from reasoner.models.spec import ModelSpec
from reasoner.setting_origin import key_place
from reasoner.settings import directories, explain

__all__ = ["load_registry", "load_value_formats", "shipped_registry_file"]

PACKAGE = Path(__file__).parent.parent
"""The package's folder; the shipped file names its own weights from here."""
FILE_NAME = "models.toml"
LOCATION_FIELDS = {"repo", "file", "revision", "path", "url"}
"""The fields that identify the file: an entry that changes one of them means another file."""
FILE_BOUND_FIELDS = {"sha256", "size", "untried", "parameters", "active_parameters"} | {
    *("wheels", "head", "lora"),
}
"""The fields that hold for that one file only."""
FORMATS_TABLE = "value-formats"
"""Not a model: it holds the formats of value models by name."""
PLANS_TABLE = "effort-plans"
"""Not a model: it holds plans for the efforts by name; a model's `effort` may be such a name."""


class _RegistryFile(NamedTuple):
    """A registry file in one state of its contents. `folder` is where its relative paths start;
    the other fields change whenever the file does, so that the whole is a cache key."""

    path: Path
    folder: Path
    inode: int
    size: int
    mtime_ns: int


def load_registry() -> dict[str, ModelSpec]:
    """Every known model by alias, the shipped ones first, in the order of the files. Raises
    UsageError for a malformed file."""
    return dict(_parse_models(_registry_files()))


def load_value_formats() -> dict[str, ValueFormat]:
    """Every known format of value models by name. Raises UsageError for a malformed file."""
    return dict(_parse_formats(_registry_files()))


def shipped_registry_file() -> Path:
    """The models.toml that comes with the program: inside the package where it was installed from
    a wheel, beside the package in a clone."""
    inside = PACKAGE / FILE_NAME
    return inside if inside.is_file() else PACKAGE.parent / FILE_NAME


def _registry_files() -> tuple[_RegistryFile, ...]:
    own = directories().models_file
    shipped = _registry_file(shipped_registry_file(), PACKAGE)
    return (shipped, _registry_file(own, own.parent)) if own.exists() else (shipped,)


def _registry_file(path: Path, folder: Path) -> _RegistryFile:
    try:
        stat = path.stat()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    return _RegistryFile(path, folder, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4)
def _parse_models(files: tuple[_RegistryFile, ...]) -> dict[str, ModelSpec]:
    format_names = _parse_formats(files).keys()
    tables: dict[str, dict[str, Any]] = {}
    origins: dict[str, Path] = {}
    plans: dict[str, Any] = {}
    for file in files:
        plans = _override(plans, _read_tables(file).get(PLANS_TABLE, {}))
    for file in files:
        for alias, table in _read_tables(file).items():
            if alias not in {FORMATS_TABLE, PLANS_TABLE}:
                own = _resolve_plan(file, alias, _resolve_paths(file, table), plans)
                tables[alias] = _override(tables.get(alias, {}), own)
                origins[alias] = file.path
    models = {alias: _parse_model(origins[alias], alias, table) for alias, table in tables.items()}
    for alias, spec in models.items():
        if spec.format is not None and spec.format not in format_names:
            raise UsageError(f"{origins[alias]}: {alias}: no value format named '{spec.format}'")
    return models


@lru_cache(maxsize=4)
def _parse_formats(files: tuple[_RegistryFile, ...]) -> dict[str, ValueFormat]:
    parsed = {}
    for file in files:
        for name, table in _read_tables(file).get(FORMATS_TABLE, {}).items():
            place = f"{file.path}: {FORMATS_TABLE}.{name}"
            try:
                parsed[name] = ValueFormat(name=name, **table)
            except ValidationError as error:
                line = key_place(file.path, (FORMATS_TABLE, name, *error.errors()[0]["loc"]))
                raise UsageError(f"{line}: {FORMATS_TABLE}.{name}: {explain(error)}") from error
            except TypeError as error:
                raise UsageError(f"{place}: a format is a table") from error
    return parsed


@lru_cache(maxsize=8)
def _read_tables(file: _RegistryFile) -> dict[str, dict[str, Any]]:
    path = file.path
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    for alias, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {alias}: a model is a table, like [{alias}]")
    return tables


def _resolve_paths(file: _RegistryFile, table: dict[str, Any]) -> dict[str, Any]:
    """The fields with their paths made relative to the file's folder, so that an entry of another
    file that overrides other fields does not change what they point at."""
    names = {key: table[key] for key in ("path", "head") if isinstance(table.get(key), str)}
    paths: dict[str, Any] = {key: _below(file, name) for key, name in names.items()}
    if isinstance(adapters := table.get("lora"), list):
        paths["lora"] = [_below(file, text) if isinstance(text, str) else text for text in adapters]
    return {**table, **paths}


def _below(file: _RegistryFile, name: str) -> Path:
    return file.folder / Path(name).expanduser()


def _resolve_plan(
    file: _RegistryFile, alias: str, table: dict[str, Any], plans: dict[str, Any]
) -> dict[str, Any]:
    """The fields with the plans that `effort` names in its place."""
    name = table.get("effort")
    if not isinstance(name, str):
        return table
    if name not in plans:
        raise UsageError(f"{file.path}: {alias}: effort: no effort plans named '{name}'")
    return {**table, "effort": plans[name]}


def _override(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The shipped fields with the user's own ones in their place; tables merge by key. When the
    own fields name another file, the checksum, size, wheels and head of the old one are dropped."""
    if any(shipped.get(field) != own[field] for field in LOCATION_FIELDS & own.keys()):
        shipped = {key: value for key, value in shipped.items() if key not in FILE_BOUND_FIELDS}
    merged = {**shipped, **own}
    for field, value in own.items():
        if isinstance(value, dict) and isinstance(shipped.get(field), dict):
            merged[field] = {**shipped[field], **value}
    return merged


def _parse_model(file: Path, alias: str, table: dict[str, Any]) -> ModelSpec:
    try:
        return ModelSpec(alias=alias, **table)
    except ValidationError as error:
        place = key_place(file, (alias, *error.errors()[0]["loc"]))
        raise UsageError(f"{place}: {alias}: {explain(error)}") from error
    except TypeError as error:
        raise UsageError(f"{file}: {alias}: `alias` is the table's name, not a field") from error
