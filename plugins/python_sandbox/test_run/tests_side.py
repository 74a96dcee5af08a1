"""The tests' side of a test run: what the tests may know of the program, and the program of them.

It runs in a sandbox in which the submitted program never runs. Comparisons are made here, between
values of builtin types: an object of the program is never asked whether it equals something, nor
told what it is compared with. Where a comparison needs an object's own word, it is undecided.
The program gets functions and instances that the tests give to it, and may call those functions
and use the public attributes of those instances, but reaches nothing else of this side.
"""

import builtins
import io
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

from python_sandbox.test_run.channel import Channel
from python_sandbox.test_run.described import is_function
from python_sandbox.test_run.patches import PatchWatch
from python_sandbox.test_run.peer import Peer, Uncarried
from python_sandbox.test_run.remote import (
    BINARY,
    COMPARISONS,
    DUNDERS,
    RemoteFunction,
    RemoteModule,
    RemoteObject,
    RemoteType,
    fetch_members,
)

__all__ = ["TESTS_MODULE", "TestsSide"]

TESTS_MODULE = "__main__"
"""The module of the classes that tests define."""
_UNDECIDED = object()
_INNER = ("gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_", "im_")
_STREAMS = (io.StringIO, io.BytesIO)
_STREAM_METHODS = {"readline", "read", "readlines"}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "__eq__": operator.eq,
    "__ne__": operator.ne,
    "__lt__": operator.lt,
    "__le__": operator.le,
    "__gt__": operator.gt,
    "__ge__": operator.ge,
}
_RUNNING = {"call", "await", "dunder", "get", "set"}
_FROM_PROGRAM = {"call", "get", "set", "dunder", "input", "stdin"}
_NAMED_KINDS = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.FunctionType,
    type,
)


class TestsSide(Peer):
    """The tests' side. `doubts` and `lacking` note what makes the next check uncertain."""

    __test__ = False

    def __init__(self, channel: Channel, patches: PatchWatch) -> None:
        super().__init__(channel, 0)
        self._patches = patches
        self._is_nested = False
        self.doubts: list[str] = []
        self.lacking: list[str] = []
        self.lacks_from_start: str | None = None
        self.doubt_from_start: str | None = None
        self.before_request: Callable[[], None] | None = None
        self.after_request: Callable[[], None] | None = None

    def request(
        self, operation: str, target: Any, arguments: list[Any], keywords: Any = None
    ) -> Any:
        """Ask the program's side; the members of an enumeration are fetched with it."""
        self._exchange(self._send_changes)
        try:
            value = super().request(operation, target, arguments, keywords)
        finally:
            if operation in _RUNNING and self.after_request:
                self._exchange(self.after_request)
        if isinstance(value, RemoteType):
            fetch_members(value)
        return value

    def _exchange(self, exchange: Callable[[], None]) -> None:
        """Pass on what changed beside arguments and results; its own requests do not."""
        if not self._is_nested:
            self._is_nested = True
            try:
                exchange()
            finally:
                self._is_nested = False

    def _send_changes(self) -> None:
        for change in self._patches.changes():
            super().request("patch", None, list(change))
        if self.before_request:
            self.before_request()

    def uncarried(self, what: str) -> Uncarried:
        """Return the exception for what cannot be passed on, and note it: tests may catch it."""
        error = super().uncarried(what)
        self.doubts.append(str(error))
        return error

    def on_raised(self, raised: dict[str, Any]) -> None:
        """Note an exception that may come from what the sandbox lacks."""
        if raised.get("lacks"):
            self.lacking.append(f"{raised.get('kind')}: {raised.get('text')}"[:200])

    def on_output(self, text: str) -> None:
        """Print what the program printed, where the tests may have redirected it."""
        sys.stdout.write(text)

    def operate(self, name: str, target: RemoteObject, arguments: list[Any]) -> Any:
        """Apply a special method; comparisons are made here or not at all.

        An operator tells the object its other operand. A number that comes back may have been made
        from it, so that it decides nothing.
        """
        if name in COMPARISONS:
            return self._compare(name, target, arguments[0])
        value = self.request("dunder", target, [name, *arguments])
        is_tainted = object.__getattribute__(target, "__tainted__")
        if name in BINARY or (name == "__format__" and arguments[0]):
            is_tainted = is_tainted or not isinstance(arguments[0], RemoteObject)
        if is_tainted and name not in (
            "__getitem__",
            "__iter__",
            "__next__",
            "__enter__",
            "__exit__",
        ):
            if isinstance(value, RemoteObject):
                object.__setattr__(value, "__tainted__", True)
            elif value is not NotImplemented:
                raise self.uncarried(f"a number that {type(target).__name__} made of an operand")
        return value

    def _compare(self, name: str, target: RemoteObject, other: Any) -> Any:
        kind = type(target).__name__
        if name == "__contains__":
            raise self.uncarried(f"whether {kind} contains something is its own word")
        if name in ("__eq__", "__ne__") and (labels := self._labels(target, other)):
            return _COMPARE[name](*labels)
        mine, theirs = self._plain(target), self._plain(other)
        compares = _described(target)["compares"]
        if mine is not _UNDECIDED and theirs is not _UNDECIDED:
            result = _COMPARE[name](mine, theirs)
            if not compares or (result is True and name == "__eq__"):
                return result
        elif name in ("__eq__", "__ne__") and not compares and not isinstance(other, RemoteObject):
            return name == "__ne__"
        raise self.uncarried(f"how {kind} compares is its own word")

    def _labels(self, mine: Any, other: Any) -> tuple[str, str] | None:
        """Return the names of two members of one enumeration, None for anything else."""
        if type(mine) is not type(other) or not _described(mine).get("members"):
            return None
        names = self.label(mine), self.label(other)
        return (str(names[0]), str(names[1])) if None not in names else None

    def _plain(self, value: Any) -> Any:
        """Return a value of a builtin type for a value or an object that extends one."""
        if not isinstance(type(value), RemoteType):
            return value
        base = _described(value).get("plain")
        if base is None:
            return _UNDECIDED
        plain = self.request("plain", value, [getattr(builtins, str(base))])
        return plain if type(plain).__module__ == "builtins" else _UNDECIDED

    def perform(self, operation: str, target: Any, arguments: list[Any], keywords: Any) -> Any:
        """Do what the program may do with what the tests gave to it."""
        if operation not in _FROM_PROGRAM:
            raise self.uncarried(f"{operation} of an object of the tests")
        if operation in ("call", "get", "set", "dunder") and not self.is_own(target):
            raise self.uncarried(f"{operation} of what is no object of the tests")
        if operation == "input":
            return input(str(arguments[0]))
        if operation == "stdin":
            if arguments[0] not in _STREAM_METHODS:
                raise self.uncarried("a method of standard input")
            return getattr(sys.stdin, arguments[0])()
        if operation == "call":
            if isinstance(target, type) and target.__module__ != TESTS_MODULE:
                raise self.uncarried(f"the class {target.__name__} of the tests")
            return target(*arguments, **keywords)
        return self._use(operation, target, str(arguments[0]), arguments[1:])

    def _use(self, operation: str, target: Any, name: str, arguments: list[Any]) -> Any:
        """Use an attribute or a special method of an instance that the tests gave."""
        if operation == "dunder":
            if name not in DUNDERS or not _is_given_instance(target):
                raise self.uncarried(f"{name} of an object of the tests")
            return getattr(type(target), name)(target, *arguments)
        if name.startswith(("_", *_INNER)) or not _is_given_instance(target):
            raise self.uncarried(f"the attribute {name} of an object of the tests")
        if _is_mock(target) and (operation == "set" or hasattr(type(target), name)):
            raise self.uncarried(f"{name} of a mock")
        return getattr(target, name) if operation == "get" else setattr(target, name, *arguments)

    def name_of(self, value: Any) -> list[str] | None:
        """Return the name of a function or class that both sides have."""
        if not isinstance(value, _NAMED_KINDS) or isinstance(value, RemoteType):
            return None
        owner = value.__objclass__ if isinstance(value, types.MethodDescriptorType) else value
        module, name = getattr(owner, "__module__", None), value.__qualname__
        if not isinstance(module, str) or module.partition(".")[
            0
        ] not in sys.stdlib_module_names | {"builtins"}:
            return None
        holder: Any = sys.modules.get(module)
        for part in name.split("."):
            holder = getattr(holder, part, None)
        return [module, name] if holder is value else None

    def may_refer(self, value: Any) -> bool:
        """Return whether the program may get a reference: to functions, classes and instances that
        the tests define, never to modules."""
        if isinstance(value, types.ModuleType | RemoteModule | RemoteFunction):
            return False
        if isinstance(value, type):
            return value.__module__ == TESTS_MODULE
        return is_function(value) or _is_given_instance(value)

    def named(self, module: str, name: str) -> Any:
        """Return a builtin type, or an exception of a module of the standard library.

        Raises ValueError for anything else.
        """
        value: Any = getattr(sys.modules.get(module), name, None)
        is_type = isinstance(value, type)
        if not is_type or (module != "builtins" and not issubclass(value, BaseException)):
            raise ValueError(f"{module}.{name} is no builtin type and no exception")
        return value


def _is_given_instance(value: Any) -> bool:
    """Return whether the program may use an object: an instance of a class of the tests, a stream,
    an iterator or a mock."""
    kind = type(value)
    if any(base.__name__ == "TestCase" for base in kind.__mro__):
        return False
    is_iterator = hasattr(kind, "__next__") and kind.__module__ in ("builtins", "itertools")
    return kind.__module__ == TESTS_MODULE or kind in _STREAMS or is_iterator or _is_mock(value)


def _is_mock(value: Any) -> bool:
    return type(value).__module__ == "unittest.mock"


def _described(target: RemoteObject) -> dict[str, Any]:
    description: dict[str, Any] = type.__getattribute__(type(target), "__described__")
    return description
