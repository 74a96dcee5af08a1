"""The program's side of a test run: loads the program and does what the tests' side asks.

It runs inside the sandbox together with the hostile program, which may report anything. It gets
arguments only: neither the tests nor the values they expect.
"""

import builtins
import copy
import importlib
import io
import sys
import threading
import types
from typing import Any

from python_sandbox.test_run.channel import Channel, ChannelClosed
from python_sandbox.test_run.loading import load_program
from python_sandbox.test_run.peer import Peer, Uncarried

__all__ = ["main"]

MAX_OUTPUT = 100_000
_NAMED_MODULES = sys.stdlib_module_names | {"builtins"}


def main(order: dict[str, Any]) -> None:
    """Serve the tests' side until it ends."""
    peer = ProgramSide(Channel(*order["channel"]))
    for name in ("stdout", "__stdout__"):
        setattr(sys, name, _ForwardedOutput(peer))
    for name in ("stderr", "__stderr__"):
        setattr(sys, name, _DiscardedOutput())
    sys.stdin = sys.__stdin__ = _ForwardedInput(peer)  # type: ignore[assignment,misc]
    builtins.input = peer.input
    try:
        peer.serve()
    except ChannelClosed:
        return


class ProgramSide(Peer):
    """Does with the program's objects whatever the tests' side asks."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, 1)
        self._thread = threading.get_ident()
        self._module: types.ModuleType | None = None
        self._patched: dict[tuple[str, str], Any] = {}

    def request(
        self, operation: str, target: Any, arguments: list[Any], keywords: Any = None
    ) -> Any:
        """Ask the tests' side. Raises Uncarried in another thread: both would wait at once."""
        if threading.get_ident() != self._thread:
            self.trouble = "a thread of the program uses an object of the tests"
            raise Uncarried(self.trouble)
        return super().request(operation, target, arguments, keywords)

    def input(self, prompt: object = "", /) -> str:
        """Read a line where the tests run, by their `input`."""
        line: str = self.request("input", None, [str(prompt)])
        return line

    def perform(self, operation: str, target: Any, arguments: list[Any], keywords: Any) -> Any:
        """Do what the tests' side requests, and return the result."""
        action = getattr(self, f"_do_{operation}")
        return (
            action(target, *arguments, **keywords)
            if operation in _CALLS
            else action(target, *arguments)
        )

    def name_of(self, value: Any) -> list[str] | None:
        """Return the name of a builtin type or exception; all else is an object of this side."""
        if not isinstance(value, type):
            return None
        name = str(value.__name__)
        if getattr(builtins, name, None) is value:
            return ["builtins", name]
        is_standard = str(value.__module__).partition(".")[0] in sys.stdlib_module_names
        if issubclass(value, BaseException) and is_standard:
            return [value.__module__, name]
        return None

    def may_refer(self, value: Any) -> bool:
        """Return True: the program has no secrets from the tests."""
        return True

    def named(self, module: str, name: str) -> Any:
        """Return an object of the standard library. Raises ValueError for any other module."""
        if module.partition(".")[0] not in _NAMED_MODULES:
            raise ValueError(f"{module} is no module of the standard library")
        value: Any = importlib.import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def _do_load(self, _: Any, order: dict[str, Any]) -> dict[str, Any]:
        self._module, report = load_program(order)
        return report

    def _do_module(self, _: Any) -> types.ModuleType | None:
        return self._module

    def _do_call(self, target: Any, *arguments: Any, **keywords: Any) -> Any:
        return target(*arguments, **keywords)

    def _do_await(self, target: Any, *arguments: Any, **keywords: Any) -> Any:
        import asyncio

        return asyncio.run(target(*arguments, **keywords))

    def _do_get(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def _do_set(self, target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    def _do_delete(self, target: Any, name: str) -> None:
        delattr(target, name)

    def _do_dunder(self, target: Any, name: str, *arguments: Any) -> Any:
        return getattr(type(target), name)(target, *arguments)

    def _do_item(self, target: Any, key: Any) -> Any:
        return target[key]

    def _do_copy(self, target: Any, deep: bool) -> Any:
        return copy.deepcopy(target) if deep else copy.copy(target)

    def _do_isinstance(self, kind: Any, value: Any) -> bool:
        return isinstance(value, kind)

    def _do_issubclass(self, kind: Any, value: Any) -> bool:
        return issubclass(value, kind)

    def _do_plain(self, target: Any, kind: type) -> Any:
        """Return the value of an object as the builtin type that its class extends."""
        if issubclass(kind, int | float | complex | str | bytes):
            return (
                kind.__new__(kind, kind.__str__(target)) if kind is str else _number(kind, target)
            )
        if kind is dict:
            return dict(dict.items(target))
        return kind(kind.__iter__(target))  # type: ignore[attr-defined,call-arg]

    def _do_patch(self, _: Any, module: str, name: str, is_patched: bool, value: Any) -> None:
        """Replace a name of a module as the tests did, or put back what was there."""
        owner = importlib.import_module(module)
        key = (module, name)
        if is_patched:
            self._patched.setdefault(key, getattr(owner, name, None))
            setattr(owner, name, value)
        elif key in self._patched:
            setattr(owner, name, self._patched.pop(key))


_CALLS = ("call", "await")


def _number(kind: Any, target: Any) -> Any:
    if kind is bytes:
        return bytes(bytes.__getitem__(target, slice(None)))
    if kind is complex:
        return complex.__add__(target, 0j)
    return kind.__add__(target, kind(0))


class _ForwardedOutput(io.TextIOBase):
    """Standard output that is printed where the tests run."""

    def __init__(self, peer: Peer) -> None:
        self._peer, self._room = peer, MAX_OUTPUT

    def write(self, text: str) -> int:
        text = str(text)
        self._peer.output += text[: max(0, self._room)]
        self._room -= len(text)
        return len(text)

    def writable(self) -> bool:
        return True


class _DiscardedOutput(io.TextIOBase):
    """A stream that discards everything; the sandbox may not write to /dev/null."""

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


class _ForwardedInput(io.TextIOBase):
    """Standard input that is read where the tests run."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line: str = self._peer.request("stdin", None, ["readline"])
        return line

    def read(self, size: int | None = -1, /) -> str:
        text: str = self._peer.request("stdin", None, ["read"])
        return text

    def __next__(self) -> str:  # type: ignore[override]
        if not (line := self.readline()):
            raise StopIteration
        return line

    @property
    def buffer(self) -> io.BytesIO:
        return io.BytesIO(self.read().encode())
