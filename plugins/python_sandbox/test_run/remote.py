"""Stand-ins for objects of the other side: functions, classes, instances, modules.

What is done with a stand-in is done with the object itself, in the process that holds it, and the
result passes back by value or as another stand-in. It runs inside the sandbox.
"""

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from python_sandbox.test_run.peer import Peer

__all__ = [
    "COMPARISONS",
    "DUNDERS",
    "RemoteFunction",
    "RemoteModule",
    "RemoteObject",
    "RemoteType",
    "fetch_members",
    "make_exception_class",
    "make_remote_class",
]

COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__")
_ARITHMETIC = [
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "divmod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
]
BINARY = frozenset(f"__{prefix}{name}__" for name in _ARITHMETIC for prefix in ("", "r", "i"))
"""Operators with a second operand, which tells the object what it is compared with."""
_UNARY = "neg pos abs invert int float index complex round trunc floor ceil bool str repr format"
_CONTAINERS = (
    "len iter next reversed getitem setitem delitem call enter exit hash bytes length_hint "
    "fspath missing"
)
DUNDERS = frozenset(
    [*COMPARISONS, *BINARY]
    + [f"__{name}__" for name in _UNARY.split()]
    + [f"__{name}__" for name in _CONTAINERS.split()]
)
"""The special methods that stand-ins forward."""
ASYNC_DUNDERS = ("__aenter__", "__aiter__", "__anext__")
_CODE_FIELDS = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags", "co_varnames")


class RemoteObject:
    """An object of the other side; `__instance__` is its number there."""

    __slots__ = ("__instance__", "__tainted__")

    def __getattr__(self, name: str) -> Any:
        return _peer(self).request("get", self, [name])

    def __setattr__(self, name: str, value: Any) -> None:
        _peer(self).request("set", self, [name, value])

    def __delattr__(self, name: str) -> None:
        _peer(self).request("delete", self, [name])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object>"

    def __copy__(self) -> Any:
        return _peer(self).request("copy", self, [False])

    def __deepcopy__(self, _memo: Any) -> Any:
        return _peer(self).request("copy", self, [True])

    def __reduce_ex__(self, _protocol: Any) -> Any:
        raise _peer(self).uncarried(f"{type(self).__name__} is pickled")

    def __eq__(self, other: object) -> Any:
        return _peer(self).operate("__eq__", self, [other])

    def __ne__(self, other: object) -> Any:
        return _peer(self).operate("__ne__", self, [other])

    def __hash__(self) -> int:
        return hash(object.__getattribute__(self, "__instance__"))


class RemoteType(type):
    """The class of stand-ins for the instances of a class of the other side, and its stand-in."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "RemoteType":
        if "__remote__" not in namespace:  # a class statement of the tests
            raise _peer(bases[0]).uncarried(f"a subclass of {bases[0].__name__}")
        return super().__new__(mcs, name, bases, namespace)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        return _peer(cls).request("call", cls, list(arguments), keywords)

    def __getattr__(cls, name: str) -> Any:
        members = type.__getattribute__(cls, "__members_by_name__")
        if name in members:  # a later request would tell the program what is expected
            return members[name]
        return _peer(cls).request("get", cls, [name])

    def __setattr__(cls, name: str, value: Any) -> None:
        _peer(cls).request("set", cls, [name, value])

    def __instancecheck__(cls, instance: Any) -> bool:
        if not isinstance(type(instance), RemoteType):
            return False
        return bool(_peer(cls).request("isinstance", cls, [instance]))

    def __subclasscheck__(cls, subclass: Any) -> bool:
        if not isinstance(subclass, RemoteType):
            return False
        return bool(_peer(cls).request("issubclass", cls, [subclass]))

    def __iter__(cls) -> Any:
        return _peer(cls).request("dunder", cls, ["__iter__"])

    def __len__(cls) -> Any:
        return _peer(cls).request("dunder", cls, ["__len__"])

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, key: Any) -> Any:
        return _peer(cls).request("item", cls, [key])


class RemoteFunction:
    """A function of the other side."""

    def __init__(self, peer: "Peer", number: int, description: dict[str, Any]) -> None:
        fields = self.__dict__
        fields["__instance__"], fields["__peer__"] = number, peer
        fields["__name__"] = fields["__qualname__"] = str(description.get("name", "function"))
        fields["__doc__"] = description.get("doc")
        fields["__module__"] = "candidate"
        fields["__async__"] = bool(description.get("async"))
        if code := description.get("code"):
            fields["__code__"] = types.SimpleNamespace(
                **dict(zip(_CODE_FIELDS, [*code[:4], tuple(code[4])], strict=True)),
                co_name=fields["__name__"],
            )
            fields["__defaults__"] = tuple([...] * int(description.get("defaults", 0))) or None
            fields["__kwdefaults__"] = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self.__dict__["__async__"]:
            return self._awaited(list(arguments), keywords)
        return self.__dict__["__peer__"].request("call", self, list(arguments), keywords)

    async def _awaited(self, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        return self.__dict__["__peer__"].request("await", self, arguments, keywords)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__" and "__code__" in self.__dict__:
            return _signature(self)
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__dict__["__peer__"].request("get", self, [name])

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["__peer__"].request("set", self, [name, value])

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)


class RemoteModule(types.ModuleType):
    """A module of the other side."""

    def __init__(self, peer: "Peer", number: int, name: str) -> None:
        super().__init__(name)
        self.__dict__["__instance__"], self.__dict__["__peer__"] = number, peer

    def __getattr__(self, name: str) -> Any:
        if name in ("__path__", "__all__", "__wrapped__"):
            raise AttributeError(name)
        return self.__dict__["__peer__"].request("get", self, [name])

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            self.__dict__[name] = value
        else:
            self.__dict__["__peer__"].request("set", self, [name, value])

    def __delattr__(self, name: str) -> None:
        self.__dict__["__peer__"].request("delete", self, [name])


def make_remote_class(peer: "Peer", number: int, description: dict[str, Any]) -> RemoteType:
    """Return the class of the stand-ins for the instances of a class of the other side.

    `description` holds its name, its special methods, and the builtin type that it extends.
    """
    namespace: dict[str, Any] = {"__slots__": (), "__remote__": (peer, number)}
    namespace["__described__"], namespace["__members_by_name__"] = description, {}
    namespace["__module__"] = "candidate"
    for name in description["dunders"]:
        if name in DUNDERS and name != "__hash__":
            namespace[name] = _forwarder(name)
        elif name == "__hash__":
            namespace[name] = lambda self: peer.request("dunder", self, ["__hash__"])
        elif name in ASYNC_DUNDERS:
            namespace[name] = _refusal(peer, name)
    if description.get("plain"):
        base = peer.named("builtins", description["plain"])
        namespace["__class__"] = property(lambda _self: base)
    return RemoteType(str(description["name"]), (RemoteObject,), namespace)


def fetch_members(kind: RemoteType) -> None:
    """Fetch the members of an enumeration before the tests use them."""
    members = type.__getattribute__(kind, "__members_by_name__")
    names = type.__getattribute__(kind, "__described__").get("members") or ()
    for name in () if members else names:
        members[str(name)] = _peer(kind).request("get", kind, [str(name)])


def make_exception_class(
    peer: "Peer", number: int, name: str, bases: tuple[type, ...]
) -> type[BaseException]:
    """Return a local class for an exception class of the other side, so that it can be caught."""
    namespace = {
        "__remote__": (peer, number),
        "__module__": "candidate",
        "__str__": _exception_text,
    }
    return type(name, bases, namespace)


def _exception_text(error: BaseException) -> str:
    text = error.__dict__.get("__text__")
    return text if isinstance(text, str) else Exception.__str__(error)


def _forwarder(name: str) -> Callable[..., Any]:
    def method(self: RemoteObject, *arguments: Any, **keywords: Any) -> Any:
        peer = _peer(self)
        if name == "__call__":
            return peer.request("call", self, list(arguments), keywords)
        if name == "__exit__":
            arguments = (*arguments[:2], None)
        return peer.operate(name, self, list(arguments))

    method.__name__ = name
    return method


def _refusal(peer: "Peer", name: str) -> Callable[..., Any]:
    def method(self: RemoteObject, *_arguments: Any) -> Any:
        raise peer.uncarried(f"{type(self).__name__}.{name}")

    return method


def _peer(stand_in: Any) -> "Peer":
    remote = type.__getattribute__(
        stand_in if isinstance(stand_in, RemoteType) else type(stand_in), "__remote__"
    )
    peer: Peer = remote[0]
    return peer


def _signature(function: RemoteFunction) -> Any:
    """Return the parameters of a function of the other side, with `...` for each default."""
    import inspect

    code = function.__code__
    names = list(code.co_varnames)
    defaults = len(function.__defaults__ or ())
    kinds, parameters = inspect.Parameter, []
    for place, name in enumerate(names[: code.co_argcount]):
        default = ... if place >= code.co_argcount - defaults else kinds.empty
        parameters.append(kinds(name, kinds.POSITIONAL_OR_KEYWORD, default=default))
    rest = names[code.co_argcount :]
    only, rest = rest[: code.co_kwonlyargcount], rest[code.co_kwonlyargcount :]
    if code.co_flags & 4:
        parameters.append(kinds(rest.pop(0), kinds.VAR_POSITIONAL))
    parameters += [kinds(name, kinds.KEYWORD_ONLY, default=...) for name in only]
    if code.co_flags & 8:
        parameters.append(kinds(rest.pop(0), kinds.VAR_KEYWORD))
    return inspect.Signature(parameters)
