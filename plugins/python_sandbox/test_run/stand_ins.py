"""Stand-ins for the submitted program's functions in the sandbox where the tests run."""

import ast
import builtins
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from python_sandbox.test_run.scores import OpaqueResult, ResultUnknown
from python_sandbox.test_run.values import NotPlainData, decode, encode

__all__ = ["MAX_CALLS", "NeedsProgramProcess", "Placeholder", "StandIns"]

MAX_CALLS = 2000
_PROMPT = re.compile(r"(?m)^[ \t]*(?:>>>|\.\.\.)(.*)$")
_WORD = re.compile(r"[A-Za-z_]\w*")


class Placeholder:
    """A placeholder value: every operation on it returns it again."""

    def _self(self, *_: object, **__: object) -> "Placeholder":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _self
    __rtruediv__ = __floordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = _self
    __abs__ = __round__ = __getitem__ = __call__ = __getattr__ = _self
    __hash__ = object.__hash__

    def __eq__(self, _other: object) -> bool:
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 1

    __index__ = __int__ = __len__

    def __float__(self) -> float:
        return 1.0


class NeedsProgramProcess(BaseException):
    """The tests need more of the program than the values of its functions."""


class StandIns:
    """Functions that return results recorded earlier and collect the calls without one.

    `memo` holds `[key, result]` for every call made so far; `calls` are the calls to make. A call
    without a result raises Missing. With `guess` it returns a `Placeholder`, so that one run of the
    tests also finds later calls; the results of its checks are then meaningless.
    """

    def __init__(
        self, memo: Iterable[tuple[str, dict[str, Any]]], names: Iterable[str], guess: bool
    ) -> None:
        self._memo, self._guess = dict(memo), guess
        self._names = {*names}
        self._forbidden: set[str] = set()
        self.calls: list[Any] = []
        self._requested_keys: set[str] = set()

    def forbid(self, names: Iterable[str]) -> None:
        """Set the names of the program that have no stand-in."""
        self._forbidden = {*names} - self._names

    def check(self, tests: str, question: str) -> None:
        """Raise NeedsProgramProcess when the tests use a forbidden name that they do not define."""
        transcript = {w for line in _PROMPT.findall(question) for w in _WORD.findall(line)}
        used, defined = _names(tests)
        if self._forbidden & ((used - defined) | transcript):
            raise NeedsProgramProcess

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the stand-ins by name."""
        return {name: self._stand_in(name) for name in self._names}

    def _stand_in(self, name: str) -> Callable[..., Any]:
        def stand_in(*arguments: Any, **keywords: Any) -> Any:
            return self._look_up(name, arguments, keywords)

        stand_in.__name__ = stand_in.__qualname__ = name
        return stand_in

    def _look_up(self, name: str, arguments: Sequence[Any], keywords: dict[str, Any]) -> Any:
        try:
            call = [name, encode([*arguments]), encode(keywords)]
        except NotPlainData as opaque:
            raise (
                ResultUnknown if str(opaque) == Placeholder.__name__ else NeedsProgramProcess
            ) from None
        key = json.dumps(call)
        if key not in self._memo:
            if key not in self._requested_keys and len(self.calls) < MAX_CALLS:
                self._requested_keys.add(key)
                self.calls.append(call)
            if self._guess:
                return Placeholder()
            raise ResultUnknown
        result = self._memo[key]
        if "opaque" in result:
            raise OpaqueResult(
                f"{name} returned something that cannot be passed on: {result['opaque']}"
            )
        if "raised" in result:
            raise _exception(str(result["raised"]), str(result.get("text", "")))
        _change(arguments, result.get("after"))
        return decode(result["value"])


def _exception(kind: str, text: str) -> BaseException:
    known = getattr(builtins, kind, None)
    if not (isinstance(known, type) and issubclass(known, Exception)):
        known = type(kind if kind.isidentifier() else "Error", (Exception,), {})
    made: BaseException = RuntimeError(text)
    with contextlib.suppress(TypeError):
        made = known(text.partition(": ")[2] or text)
    return made


def _change(arguments: Sequence[Any], after: Any) -> None:
    """Change the arguments as the program changed its copies of them."""
    if after is None:
        return
    for mine, new in zip(arguments, decode(after), strict=False):
        if isinstance(mine, list) and isinstance(new, list):
            mine[:] = new
        elif isinstance(mine, dict | set) and isinstance(new, type(mine)):
            mine.clear()
            mine.update(new)


def _names(text: str) -> tuple[set[str], set[str]]:
    """Return the names that a text uses, and those that it defines."""
    try:
        parts = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    defined = {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
    defined |= {p.name for p in parts if isinstance(p, ast.FunctionDef | ast.ClassDef)}
    used = {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}
    used |= {p.attr for p in parts if isinstance(p, ast.Attribute)}
    used |= {a.name for p in parts if isinstance(p, ast.ImportFrom) for a in p.names}
    return used, defined
