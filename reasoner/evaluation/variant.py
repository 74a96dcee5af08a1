"""The variants that an evaluation compares: one for each combination of the values to compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from reasoner.errors import UsageError
from reasoner.settings import Settings

__all__ = ["MAX_VARIANTS", "Variant", "parse_variants"]

MAX_VARIANTS = 64


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings under a name. `changes` are the fields of `Settings` in which it differs."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def parse_variants(comparisons: Sequence[str]) -> tuple[Variant, ...]:
    """Return a variant for each combination of the values in `["effort=low,high", "model=A,B"]`,
    in their order; without comparisons, a single one named `default`.

    `strategy_options.n=4,8` compares a strategy's option. Raises UsageError for a text of another
    form, an unknown setting, a value given twice, and for more than MAX_VARIANTS combinations.
    """
    axes = [_parse_axis(text) for text in comparisons]
    keys = [key for key, _ in axes]
    if len(set(keys)) < len(keys):
        raise UsageError("--compare has the same setting twice; give all its values in one")
    combinations = list(product(*(values for _, values in axes)))
    if len(combinations) > MAX_VARIANTS:
        raise UsageError(f"--compare gives {len(combinations)} variants; at most {MAX_VARIANTS}")
    if not axes:
        return (Variant("default"),)
    return tuple(_make_variant(keys, values) for values in combinations)


def _parse_axis(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    parts = [value.strip() for value in values.split(",")]
    if not equals or not all(parts):
        raise UsageError(
            f"--compare takes SETTING=VALUE,VALUE, such as effort=low,high; got '{text}'"
        )
    key = key.strip().replace("-", "_")
    name = key.partition(".")[0]
    if name not in Settings.model_fields:
        raise UsageError(f"--compare: there is no setting '{name}'")
    if len(set(parts)) < len(parts):
        raise UsageError(f"--compare {key} has a value twice")
    return key, parts


def _make_variant(keys: Sequence[str], values: Sequence[str]) -> Variant:
    changes: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        name, dot, inner = key.partition(".")
        if dot:
            changes.setdefault(name, {})[inner] = value
        else:
            changes[name] = value
    return Variant(" ".join(_short_value(value) for value in values), changes)


def _short_value(value: str) -> str:
    """The last part of a path or an address, which tells models apart in a table."""
    return value.rstrip("/").rpartition("/")[2] or value
