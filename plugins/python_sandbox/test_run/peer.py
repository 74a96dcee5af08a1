"""One side of a test run: sends requests to the other side, and serves those that come back.

The tests and the submitted program live in two sandboxes. Plain data pass by value; functions,
classes, instances and modules stay where they are and pass by reference. While one side waits for
a result it serves requests of the other one, so that a program can call a function which a test
gave it. `program_side` and `tests_side` say what each side permits.
"""

import threading
from typing import Any

from python_sandbox.test_run.channel import Channel
from python_sandbox.test_run.described import describe, exception_path
from python_sandbox.test_run.remote import (
    RemoteFunction,
    RemoteModule,
    RemoteObject,
    RemoteType,
    make_exception_class,
    make_remote_class,
)
from python_sandbox.test_run.shared import SharedContainers
from python_sandbox.test_run.values import NotPlainData, decode, encode, is_plain_container

__all__ = ["Peer", "Uncarried"]

MAX_TEXT = 300
_SINGLETONS = {"NotImplemented": NotImplemented, "Ellipsis": Ellipsis}


class Uncarried(BaseException):
    """Something could not be passed to the other side or back; the message describes it."""


class Peer:
    """One side of a test run.

    `first` is 0 for the tests' side and 1 for the program's. `output` collects what was printed
    here and belongs there.
    """

    def __init__(self, channel: Channel, first: int) -> None:
        self.channel = channel
        self.output = ""
        self._shared = SharedContainers(first, self._encode, prunes=first == 0)
        self._own: list[Any] = []
        self._own_numbers: dict[int, int] = {}
        self._stand_ins: dict[int, Any] = {}
        self._labels_by_number: dict[int, str] = {}
        self.trouble: str | None = None
        self._lock = threading.RLock()

    def request(
        self, operation: str, target: Any, arguments: list[Any], keywords: Any = None
    ) -> Any:
        """Ask the other side to do something with an object there; return the result.

        Raises what the operation raised, and Uncarried.
        """
        with self._lock:
            try:
                message = {
                    "do": operation,
                    "of": None if target is None else self._encode(target),
                    "with": [self._pack(argument) for argument in arguments],
                    "named": {key: self._pack(value) for key, value in (keywords or {}).items()},
                }
            except NotPlainData as opaque:
                raise self.uncarried(str(opaque)) from None
            self._send(message)
            while "do" in (message := self._receive()):
                self._send(self._served(message))
            return self._result(message)

    def serve(self) -> None:
        """Serve requests until the other side ends. Raises ChannelClosed then."""
        while True:
            self._send(self._served(self._receive()))

    def uncarried(self, what: str) -> Uncarried:
        """Return the exception for something that cannot be passed on."""
        return Uncarried(f"what cannot be passed on: {what}"[:MAX_TEXT])

    def named(self, module: str, name: str) -> Any:
        """Return the object of the standard library that the other side names."""
        raise NotImplementedError

    def operate(self, name: str, target: RemoteObject, arguments: list[Any]) -> Any:
        """Apply a special method of an object of the other side."""
        return self.request("dunder", target, [name, *arguments])

    def perform(self, operation: str, target: Any, arguments: list[Any], keywords: Any) -> Any:
        """Do what the other side requests, and return the result."""
        raise NotImplementedError

    def name_of(self, value: Any) -> list[str] | None:
        """Return module and name of what both sides have, None for an object of this side."""
        raise NotImplementedError

    def may_refer(self, value: Any) -> bool:
        """Return whether the other side may get a reference to an object of this side."""
        raise NotImplementedError

    def on_raised(self, raised: dict[str, Any]) -> None:
        """Take note of an exception that came from the other side."""

    def on_output(self, text: str) -> None:
        """Print what was printed on the other side."""

    def own(self, value: Any) -> int:
        """Return the number of an object of this side, which is kept from then on."""
        if (number := self._own_numbers.get(id(value))) is None:
            number = self._own_numbers[id(value)] = len(self._own)
            self._own.append(value)
        return number

    def is_own(self, value: Any) -> bool:
        """Return whether the other side has a reference to an object of this side."""
        return id(value) in self._own_numbers

    def label(self, stand_in: RemoteObject) -> str | None:
        """Return the name of a member of an enumeration."""
        return self._labels_by_number.get(object.__getattribute__(stand_in, "__instance__"))

    def _send(self, message: dict[str, Any]) -> None:
        output, self.output = self.output, ""
        if output:
            message["output"] = output
        self.channel.send(self._shared.changes() | message)

    def _receive(self) -> dict[str, Any]:
        message = self.channel.receive()
        if output := message.get("output"):
            self.on_output(str(output))
        self._shared.apply(message, self._decode)
        return message

    def _served(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carry out a request; return `value`, `raised` or `opaque`."""
        try:
            target = self._decode(message.get("of"))
            arguments = [self._unpack(packed) for packed in message["with"]]
            keywords = {key: self._unpack(packed) for key, packed in message["named"].items()}
            value = self.perform(str(message["do"]), target, arguments, keywords)
            if self.trouble:
                return {"opaque": self.trouble}
            return {"value": self._pack(value)}
        except NotPlainData as opaque:
            return {"opaque": str(opaque)[:MAX_TEXT]}
        except Uncarried as opaque:
            return {"opaque": str(opaque)[:MAX_TEXT]}
        except BaseException as error:
            return {"raised": self._raised(error)}

    def _result(self, message: dict[str, Any]) -> Any:
        if "opaque" in message:
            raise self.uncarried(str(message["opaque"]))
        if raised := message.get("raised"):
            self.on_raised(raised)
            raise self._exception(raised)
        try:
            return self._unpack(message["value"])
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise self.uncarried(f"a reply that makes no sense ({error})") from None

    def _pack(self, value: Any) -> list[Any]:
        number = self._shared.number(value) if is_plain_container(value) else None
        return [number, self._encode(value)]

    def _unpack(self, packed: list[Any]) -> Any:
        number, data = packed
        if number is not None and (known := self._shared.get(number)) is not None:
            return known
        value = self._decode(data)
        if isinstance(number, int) and is_plain_container(value):
            self._shared.add(number, value)
        return value

    def _encode(self, value: Any) -> Any:
        return encode(value, self._refer)

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _refer(self, value: Any) -> list[Any]:
        if (number := _remote_number(value)) is not None:
            return ["yours", number]
        for name, singleton in _SINGLETONS.items():
            if value is singleton:
                return ["named", "builtins", name]
        if path := self.name_of(value):
            return ["named", *path]
        if isinstance(value, BaseException):
            return ["exception", self._raised(value)]
        if not self.may_refer(value):
            raise NotPlainData(type(value).__name__)
        return self._refer_own(value)

    def _refer_own(self, value: Any) -> list[Any]:
        """Return a reference to an object of this side, described when it is new."""
        is_new = id(value) not in self._own_numbers
        number = self.own(value)
        description = describe(value, self._refer, self._refer_own) if is_new else None
        return ["mine", number, description]

    def _resolve(self, content: list[Any]) -> Any:
        kind, *rest = content
        if kind == "yours":
            return self._own[rest[0]]
        if kind == "named":
            return _SINGLETONS.get(rest[1]) or self.named(*rest)
        if kind == "exception":
            return self._exception(rest[0])
        number, description = rest
        if description is not None:
            self._stand_ins.setdefault(number, self._stand_in(number, description))
        return self._stand_ins[number]

    def _stand_in(self, number: int, description: dict[str, Any]) -> Any:
        kind = description["kind"]
        if kind == "function":
            return RemoteFunction(self, number, description)
        if kind == "module":
            return RemoteModule(self, number, str(description["name"]))
        if kind == "exception":
            bases = tuple(self._resolve(base) for base in description["bases"])
            return make_exception_class(self, number, str(description["name"]), bases)
        if kind == "class":
            return make_remote_class(self, number, description)
        stand_in = object.__new__(self._resolve(description["class"]))
        object.__setattr__(stand_in, "__instance__", number)
        object.__setattr__(stand_in, "__tainted__", False)
        if (label := description.get("label")) is not None:
            self._labels_by_number[number] = str(label)
        return stand_in

    def _raised(self, error: BaseException) -> dict[str, Any]:
        """Describe an exception of this side for the other."""
        text = exception_text(error)
        raised = {"kind": type(error).__name__, "text": text, "lacks": lacks(error)}
        try:
            raised["arguments"] = self._encode(list(error.args))
            raised["state"] = self._encode(
                {k: v for k, v in vars(error).items() if not k.startswith("__")}
            )
        except (NotPlainData, RecursionError):
            raised["arguments"], raised["state"] = ["list", [text]], ["dict", []]
        raised["class"] = self._refer(type(error))
        return raised

    def _exception(self, raised: dict[str, Any]) -> BaseException:
        """Return a local exception for one of the other side."""
        try:
            kind = self._resolve(raised["class"])
        except ValueError:  # of a module that is not loaded here, so that nothing names it
            kind = Exception
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = RuntimeError
        error: BaseException = kind.__new__(kind)
        error.args = tuple(self._decode(raised["arguments"]))
        for name, value in self._decode(raised["state"]).items():
            vars(error)[str(name)] = value
        vars(error)["__text__"] = str(raised["text"])
        return error


def exception_text(error: BaseException) -> str:
    """Return the message of an exception, even when its `__str__` raises."""
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return ""


def lacks(error: BaseException) -> bool:
    """Return whether an exception may come from what the sandbox lacks, not from a mistake."""
    kinds = (EOFError, ImportError, PermissionError, FileNotFoundError, MemoryError)
    return isinstance(error, kinds) or exception_path(error)[-1] in ("URLError", "gaierror")


def _remote_number(value: Any) -> int | None:
    """Return the number of a stand-in on the other side, None for anything else."""
    number: int | None = None
    if isinstance(type(value), RemoteType):
        number = object.__getattribute__(value, "__instance__")
    elif type(value) in (RemoteFunction, RemoteModule):
        number = value.__dict__["__instance__"]
    elif isinstance(value, RemoteType) or _is_remote_exception(value):
        number = type.__getattribute__(value, "__remote__")[1]
    return number


def _is_remote_exception(value: Any) -> bool:
    is_exception = isinstance(value, type) and issubclass(value, BaseException)
    return is_exception and "__remote__" in vars(value)
