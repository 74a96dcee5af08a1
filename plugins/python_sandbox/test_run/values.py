"""Encoding of the values that pass from one sandbox to another: plain data, as JSON.

It also runs inside the sandbox, so it uses the standard library only. Plain data are values of
builtin types and of a few types of the standard library, whose behaviour no program can change.
Everything else passes by reference (see `references`) or not at all.
"""

import importlib
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

__all__ = ["NotPlainData", "decode", "encode", "is_plain_container"]

MAX_ITEMS = 20_000
MAX_DEPTH = 40
MAX_TEXT = 200_000
_SAFE_INT = 1 << 53
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_CONTAINERS: dict[type, str] = {
    list: "list",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    dict: "dict",
    **dict.fromkeys(_VIEWS, "list"),
}
_MAKERS: dict[str, Callable[[list[Any]], object]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "range": lambda ends: range(*ends),
    "slice": lambda ends: slice(*ends),
    "complex": lambda parts: complex(*parts),
}
_SPELLINGS: dict[type, tuple[str, Callable[[Any], str]]] = {
    int: ("int", hex),
    bytes: ("bytes", bytes.hex),
    bytearray: ("bytearray", bytearray.hex),
}
_READERS: dict[str, Callable[[str], object]] = {
    "int": lambda digits: int(digits, 16),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
}
_STANDARD: dict[str, tuple[str, Callable[[Any], list[Any]]]] = {
    "Fraction": ("fractions", lambda v: [v.numerator, v.denominator]),
    "Decimal": ("decimal", lambda v: [str(v)]),
    "date": ("datetime", lambda v: [v.year, v.month, v.day]),
    "datetime": (
        "datetime",
        lambda v: [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond],
    ),
    "time": ("datetime", lambda v: [v.hour, v.minute, v.second, v.microsecond]),
    "timedelta": ("datetime", lambda v: [v.days, v.seconds, v.microseconds]),
    "UUID": ("uuid", lambda v: [str(v)]),
    "PurePosixPath": ("pathlib", lambda v: [str(v)]),
    "PosixPath": ("pathlib", lambda v: [str(v)]),
    "Counter": ("collections", lambda v: [dict(v)]),
    "OrderedDict": ("collections", lambda v: [list(v.items())]),
    "deque": ("collections", lambda v: [list(v), v.maxlen]),
}
"""Types of the standard library: their module, and the arguments that make an equal value."""


class NotPlainData(Exception):
    """A value is not plain data, or too large; the message names its type."""


Refer = Callable[[Any], Any]


def encode(value: object, refer: Refer | None = None) -> Any:
    """Return `value` as JSON that `decode` reverses.

    `refer` encodes what is not plain data. Raises NotPlainData without it, and for too much data.
    """
    return _Encoder(refer).encode(value, MAX_DEPTH)


def decode(data: Any, resolve: Refer | None = None) -> Any:
    """Return the value that `encode` encoded; `resolve` decodes what `refer` encoded.

    Raises ValueError, TypeError, KeyError or AttributeError for any other data.
    """
    if not isinstance(data, list):
        return data
    kind, content = data
    if kind == "ref":
        if resolve is None:
            raise ValueError("a reference")
        return resolve(content)
    if kind in _READERS:
        return _READERS[kind](str(content)[:MAX_TEXT])
    parts = [decode(item, resolve) for item in content]
    return _MAKERS[kind](parts) if kind in _MAKERS else _standard_value(kind, parts)


def is_plain_container(value: object) -> bool:
    """Return whether a value is a list, dict, set or the like, which can change."""
    return type(value) in (list, dict, set, bytearray)


class _Encoder:
    """Encodes one value within an allowance of items and text."""

    def __init__(self, refer: Refer | None) -> None:
        self._refer = refer
        self._allowance = MAX_ITEMS

    def encode(self, value: object, depth: int) -> Any:
        self._allowance -= 1
        if self._allowance < 0 or depth < 0:
            raise NotPlainData("more data than can be passed on")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int and abs(value) < _SAFE_INT:  # type: ignore[arg-type]
            return value
        if kind is str:
            return self._text(value)  # type: ignore[arg-type]
        if kind in _CONTAINERS:
            return [_CONTAINERS[kind], self._parts(value, depth)]
        if kind in _SPELLINGS:
            name, spell = _SPELLINGS[kind]
            return [name, self._text(spell(value))]
        return self._other(value, kind, depth)

    def _parts(self, value: Any, depth: int) -> list[Any]:
        items: Iterable[object] = value.items() if type(value) is dict else value
        return [self.encode(part, depth - 1) for part in islice(items, MAX_ITEMS + 1)]

    def _other(self, value: Any, kind: type, depth: int) -> Any:
        if kind is range or kind is slice:
            return [
                kind.__name__,
                [self.encode(v, 0) for v in (value.start, value.stop, value.step)],
            ]
        if kind is complex:
            return ["complex", [value.real, value.imag]]
        if (entry := _STANDARD.get(kind.__name__)) and _is_standard(kind, entry[0]):
            arguments = entry[1](value) if getattr(value, "tzinfo", None) is None else None
            if arguments is not None:
                return [kind.__name__, [self.encode(part, depth - 1) for part in arguments]]
        if kind.__module__ == "numpy" and (array := self._array(value, depth)) is not None:
            return array
        if self._refer is None:
            raise NotPlainData(kind.__name__)
        return ["ref", self._refer(value)]

    def _array(self, value: Any, depth: int) -> Any:
        """Encode an array or number of numpy, None for one of objects."""
        numpy = sys.modules["numpy"]
        if (
            not isinstance(value, numpy.ndarray | numpy.generic)
            or value.dtype.kind not in "biufcUS"
        ):
            return None
        content = self.encode(value.tolist(), depth - 1)
        is_array = isinstance(value, numpy.ndarray)
        shape = self.encode(value.shape, 1) if is_array else None
        return ["numpy", [value.dtype.str, shape, content]]

    def _text(self, value: str) -> str:
        self._allowance -= len(value) // 16
        if len(value) > MAX_TEXT:
            raise NotPlainData("more text than can be passed on")
        return value


def _is_standard(kind: type, module: str) -> bool:
    """Return whether a type is the standard library's own, by identity."""
    return getattr(sys.modules.get(module), kind.__name__, None) is kind


def _standard_value(kind: str, parts: list[Any]) -> object:
    """Make a value of the standard library or numpy; importing them early would be slow."""
    if kind == "numpy":
        numpy = importlib.import_module("numpy")
        array = numpy.array(parts[2], dtype=parts[0])
        return array[()] if parts[1] is None else array.reshape(parts[1])
    module, _ = _STANDARD[kind]
    return getattr(importlib.import_module(module), kind)(*parts)
