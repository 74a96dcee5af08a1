"""Encoding of the values that pass from one sandbox to another: plain data, as JSON.

It also runs inside the sandbox, so it uses the standard library only. Objects with behaviour of
their own, such as one that equals everything, are opaque and do not pass.
"""

import importlib
import types
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

__all__ = ["NotPlainData", "decode", "encode"]

MAX_ITEMS = 10_000
MAX_DEPTH = 40
MAX_TEXT = 40_000
_SAFE_INT = 1 << 53
_LAZY = (map, filter, zip, enumerate, reversed, types.GeneratorType, Iterator)
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_MAKERS: dict[str, Callable[[Any], object]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "iterator": iter,
    "dict": dict,
    "range": lambda ends: range(*ends),
    "complex": lambda parts: complex(*parts),
}
_READERS: dict[str, Callable[[str], object]] = {
    "int": lambda digits: int(digits, 16),
    "bytes": bytes.fromhex,
    "Fraction": lambda text: _number("fractions", "Fraction")(text),
    "Decimal": lambda text: _number("decimal", "Decimal")(text),
}
_NUMBERS = {"Fraction": "fractions", "Decimal": "decimal"}


class NotPlainData(Exception):
    """A value is not plain data, or too large; the message names its type."""


def encode(value: object) -> Any:
    """Return `value` as JSON that `decode` reverses. It consumes iterators. Raises NotPlainData."""
    return _encode(value, [MAX_ITEMS], MAX_DEPTH)


def decode(data: Any) -> Any:
    """Return the value that `encode` encoded.

    Raises ValueError, TypeError or KeyError for any other data.
    """
    if not isinstance(data, list):
        return data
    kind, content = data
    if kind in _READERS:
        return _READERS[kind](str(content)[:MAX_TEXT])
    return _MAKERS[kind]([decode(item) for item in content])


def _encode(value: object, allowance: list[int], depth: int) -> Any:
    allowance[0] -= 1
    if allowance[0] < 0 or depth < 0:
        raise NotPlainData("more data than can be passed on")
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return _text(str.__str__(value), allowance)
    if isinstance(value, int) and abs(value) < _SAFE_INT:
        return int(value)
    for kind, types_ in _KINDS.items():
        if isinstance(value, types_):
            parts = islice(_parts(value), MAX_ITEMS + 1)
            return [kind, [_encode(part, allowance, depth - 1) for part in parts]]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return _encode(value.tolist(), allowance, depth - 1)
    return _spelled(value, allowance)


def _spelled(value: object, allowance: list[int]) -> Any:
    for kind, (types_, spell) in _SPELLERS.items():
        if isinstance(value, types_):
            return [kind, _text(spell(value), allowance)]
    kind = type(value).__name__
    if _NUMBERS.get(kind) == type(value).__module__:
        return [kind, _text(str(value), allowance)]
    raise NotPlainData(kind)


def _number(module: str, name: str) -> Callable[[str], object]:
    """Return the type of a number; importing it early would be slow."""
    made: Callable[[str], object] = getattr(importlib.import_module(module), name)
    return made


def _text(value: str, allowance: list[int]) -> str:
    allowance[0] -= len(value) // 4
    if len(value) > MAX_TEXT:
        raise NotPlainData("more text than can be passed on")
    return value


def _parts(value: Any) -> Iterable[object]:
    if isinstance(value, dict):
        return dict.items(value)
    if isinstance(value, range):
        return (value.start, value.stop, value.step)
    if isinstance(value, complex):
        return (value.real, value.imag)
    items: Iterable[object] = value
    return items


_SPELLERS: dict[str, tuple[type, Callable[[Any], str]]] = {
    "int": (int, hex),
    "bytes": (bytes, bytes.hex),
}
_KINDS: dict[str, Any] = {
    "list": (list, *_VIEWS),
    "tuple": tuple,
    "frozenset": frozenset,
    "set": set,
    "dict": dict,
    "range": range,
    "complex": complex,
    "iterator": _LAZY,
}
