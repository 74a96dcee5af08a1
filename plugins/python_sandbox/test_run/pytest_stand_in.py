"""What tests need of pytest, which may not be installed and would take long to import.

It runs in the tests' sandbox. Anything else of pytest is missing, so that the tests are undecided.
"""

import math
import re
import types
from typing import Any

__all__ = ["make_pytest"]


class Skipped(Exception):
    """A test asked to be skipped."""


class _Raises:
    """Expects an exception; `value` holds it afterwards, as pytest's does."""

    def __init__(self, expected: Any, match: str | None = None) -> None:
        self._expected, self._match = expected, match
        self.value: Any = None
        self.type: Any = None

    def __enter__(self) -> "_Raises":
        return self

    def __exit__(self, kind: Any, error: Any, _trace: Any) -> bool:
        if kind is None:
            raise AssertionError(f"DID NOT RAISE {self._expected}")
        if not issubclass(kind, self._expected):
            return False
        self.value, self.type = error, kind
        if self._match is not None and not re.search(self._match, str(error)):
            raise AssertionError(f"{str(error)!r} does not match {self._match!r}")
        return True


class _Approximately:
    """Equals what is within a tolerance, also in lists, tuples and dicts."""

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None) -> None:
        self._expected = expected
        self._relative = rel if rel is not None else (0.0 if abs is not None else 1e-6)
        self._absolute = abs if abs is not None else 1e-12

    def __eq__(self, other: Any) -> bool:
        return self._is_near(other, self._expected)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"approx({self._expected!r})"

    def _is_near(self, got: Any, want: Any) -> bool:
        if isinstance(want, dict):
            return want.keys() == got.keys() and all(self._is_near(got[k], want[k]) for k in want)
        if isinstance(want, list | tuple):
            pairs = zip(got, want, strict=False)
            return len(got) == len(want) and all(
                self._is_near(mine, other) for mine, other in pairs
            )
        if isinstance(want, int | float) and isinstance(got, int | float):
            tolerance = {"rel_tol": self._relative, "abs_tol": self._absolute}
            return got == want or math.isclose(got, want, **tolerance)
        return bool(got == want)


class _Marks:
    """`pytest.mark`: `parametrize` is followed, other marks change nothing."""

    def __getattr__(self, name: str) -> Any:
        if name in ("skip", "skipif", "xfail"):
            raise AttributeError(name)
        return self._parametrize if name == "parametrize" else _marked

    @staticmethod
    def _parametrize(names: Any, values: Any, **_: Any) -> Any:
        split = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)

        def decorate(test: Any) -> Any:
            cases = [
                dict(zip(split, value if len(split) > 1 else [value], strict=True))
                for value in values
            ]
            earlier = getattr(test, "__cases__", [{}])
            test.__cases__ = [old | new for old in earlier for new in cases]
            return test

        return decorate


def _marked(*arguments: Any, **_: Any) -> Any:
    if len(arguments) == 1 and callable(arguments[0]):
        return arguments[0]
    return lambda test: test


def _raises(expected: Any, *call: Any, match: str | None = None) -> Any:
    """Expect an exception in a block, or of a call."""
    if not call:
        return _Raises(expected, match)
    with _Raises(expected) as context:
        call[0](*call[1:])
    return context


def _fail(reason: str = "", **_: Any) -> None:
    raise AssertionError(reason)


def _skip(reason: str = "", **_: Any) -> None:
    raise Skipped(reason)


def make_pytest() -> types.ModuleType:
    """Return a module that stands in for pytest."""
    module = types.ModuleType("pytest")
    names = {"raises": _raises, "approx": _Approximately, "mark": _Marks(), "fail": _fail}
    names |= {"skip": _skip, "main": lambda *_, **__: 0, "param": lambda *values, **_: values}
    vars(module).update(names)
    return module
