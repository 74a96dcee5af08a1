"""Descriptions of functions, classes and instances, from which stand-ins are made elsewhere.

It runs inside the sandbox.
"""

import sys
import types
from collections.abc import Callable
from typing import Any

from python_sandbox.test_run.remote import ASYNC_DUNDERS, COMPARISONS, DUNDERS

__all__ = ["describe", "exception_path", "is_function"]

_PLAIN_BASES = (int, float, complex, str, bytes, tuple, list, dict, set, frozenset)
_COROUTINE_FLAG = 0x80
_MAX_NAME = 100
_MAX_MEMBERS = 100


def describe(
    value: Any, refer: Callable[[Any], Any], refer_own: Callable[[Any], Any]
) -> dict[str, Any]:
    """Return what the other side must know to make a stand-in for an object.

    `refer` encodes a class that the other side may have too, `refer_own` one of this side.
    """
    if isinstance(value, types.ModuleType):
        return {"kind": "module", "name": value.__name__[:_MAX_NAME]}
    if isinstance(value, type):
        return _describe_class(value, refer)
    if is_function(value):
        return _describe_function(value)
    description = {"kind": "object", "class": refer_own(type(value))}
    return description | ({"label": value.name} if _is_enumeration(type(value)) else {})


def is_function(value: Any) -> bool:
    """Return whether a value is a function or method of any kind."""
    kinds = (
        types.FunctionType,
        types.MethodType,
        types.BuiltinFunctionType,
        types.MethodWrapperType,
        types.WrapperDescriptorType,
        types.MethodDescriptorType,
        types.ClassMethodDescriptorType,
    )
    return isinstance(value, kinds) or type(value).__name__ in ("partial", "_lru_cache_wrapper")


def exception_path(error: BaseException) -> list[str]:
    """Return module and name of an exception's class."""
    return [type(error).__module__, type(error).__name__]


def _describe_class(kind: type, refer: Callable[[Any], Any]) -> dict[str, Any]:
    if issubclass(kind, BaseException):
        bases = [refer(base) for base in kind.__bases__ if issubclass(base, BaseException)]
        return {"kind": "exception", "name": kind.__name__[:_MAX_NAME], "bases": bases}
    plain = next((base for base in kind.__mro__ if base in _PLAIN_BASES), None)
    own = kind.__mro__[: kind.__mro__.index(plain or object)]
    names = {name for base in kind.__mro__[:-1] for name in vars(base)}
    return {
        "kind": "class",
        "name": kind.__name__[:_MAX_NAME],
        "dunders": sorted(names & (DUNDERS | {*ASYNC_DUNDERS})),
        "compares": any(name in vars(base) for base in own for name in COMPARISONS[:2]),
        "plain": plain.__name__ if plain else None,
        "members": list(kind.__members__)[:_MAX_MEMBERS] if _is_enumeration(kind) else None,  # type: ignore[attr-defined]
    }


def _is_enumeration(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _describe_function(function: Any) -> dict[str, Any]:
    inner = getattr(function, "__func__", function)
    inner = getattr(inner, "__wrapped__", inner) if not hasattr(inner, "__code__") else inner
    code = getattr(inner, "__code__", None)
    document = getattr(function, "__doc__", None)
    description: dict[str, Any] = {
        "kind": "function",
        "name": str(getattr(function, "__name__", "function"))[:_MAX_NAME],
        "doc": document[:2000] if type(document) is str else None,
    }
    if isinstance(code, types.CodeType):
        bound = int(isinstance(function, types.MethodType))
        description["async"] = bool(code.co_flags & _COROUTINE_FLAG)
        description["defaults"] = len(inner.__defaults__ or ())
        names = [str(name) for name in code.co_varnames[bound:]]
        counts = [code.co_argcount - bound, 0, code.co_kwonlyargcount, code.co_flags]
        description["code"] = [*counts, names]
    return description
