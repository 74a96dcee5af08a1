"""The results of a test run: which checks held, which failed and why, which are undecided.

It runs inside the sandbox and uses the standard library only.
"""

import ast
import contextlib
import math
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

__all__ = [
    "CheckPosition",
    "CheckResults",
    "OpaqueResult",
    "ResultUnknown",
    "close_enough",
    "compile_soft_assertions",
]

MAX_FAILURES = 5
TOLERANCE = 1e-9
CheckPosition = tuple[str, int]


class ResultUnknown(BaseException):
    """A call whose result is not known yet."""


class OpaqueResult(BaseException):
    """A value that cannot leave the program's process; the message describes it."""


class CheckResults:
    """The result of each check, by its position; a check that is reached often must always hold."""

    def __init__(self) -> None:
        self._held: dict[CheckPosition, bool] = {}
        self._failures: dict[CheckPosition, str] = {}
        self._open: dict[CheckPosition, str] = {}
        self.given = False
        self.broken: str | None = None

    def report(self) -> dict[str, Any]:
        """Return the counts and the first texts, as fields of `TestRun`."""
        passes = sum(held and site not in self._open for site, held in self._held.items())
        return {
            "passes": passes,
            "failed": len(self._failures),
            "undecided": len({*self._open} - {*self._failures}),
            "failures": list(self._failures.values())[:MAX_FAILURES],
            "open": [text for text in self._open.values() if text][:MAX_FAILURES],
            "given": self.given,
            "broken": self.broken,
        }

    def note(self, site: CheckPosition, held: bool, text: str = "") -> None:
        """Record a check, with the text that describes its failure."""
        self._held[site] = held and self._held.get(site, True)
        if not held:
            self._failures.setdefault(site, " ".join(text.split())[:300])

    def compare(self, site: CheckPosition, text: str, got: object, wants: tuple[Any, ...]) -> None:
        """Record whether a value equals one of the expected ones."""
        held = any(close_enough(got, want) for want in wants)
        self.note(site, held, f"{text} gives {_short(got)}, not {_short(wants[0])}")

    @contextlib.contextmanager
    def guard(self, site: CheckPosition, text: str) -> Iterator[None]:
        """Record an exception inside this context as the failure of the check."""
        try:
            yield
        except ResultUnknown:
            self._open.setdefault(site, "")
        except OpaqueResult as undecided:
            self._open[site] = str(undecided)[:200]
        except BaseException as error:
            self._raised(site, text, error)

    @contextlib.contextmanager
    def whole(self, site: CheckPosition, text: str) -> Iterator[None]:
        """Guard several checks; if there are none inside, reaching the end is the check."""
        before = len(self._held) + len(self._open)
        with self.guard(site, text):
            yield
            if len(self._held) + len(self._open) == before and site[0] not in ("module", "check"):
                self.note(site, True)

    def hooks(self) -> dict[str, Callable[..., None]]:
        """Return the functions that softened assertions call, by name."""
        return {
            "__held__": lambda line, value, text: self.note(
                ("line", line), bool(value), f"{text} is {_short(value)}" if text else ""
            ),
            "__equal__": lambda line, got, want, text: self.note(
                ("line", line), bool(got == want), f"{text}: got {_short(got)}"
            ),
            "__broke__": self._broke,
        }

    def _broke(self, line: int, text: str) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        with self.guard(("line", line), text):
            raise error

    def _raised(self, site: CheckPosition, text: str, error: BaseException) -> None:
        if isinstance(error, ImportError):
            self.broken = f"the tests need what the sandbox lacks: {error}"[:200]
        else:
            self.note(site, False, f"{text}: {type(error).__name__}: {error}")


def compile_soft_assertions(tests: str) -> types.CodeType:
    """Compile the tests so that a failing assertion is recorded and the next one still runs.

    Raises what `ast.parse` raises for text that is not Python.
    """
    tree = ast.fix_missing_locations(_Softener().visit(ast.parse(tests, "tests.py")))
    return compile(tree, "tests.py", "exec", dont_inherit=True)


class _Softener(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        if not any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node.test)):
            return ast.copy_location(ast.Pass(), node)  # `assert True` tests nothing
        line, text = ast.Constant(node.lineno), ast.Constant(ast.unparse(node.test)[:200])
        test, hook, values = node.test, "__held__", [node.test]
        if isinstance(test, ast.Compare) and [type(op) for op in test.ops] == [ast.Eq]:
            hook, values = "__equal__", [test.left, test.comparators[0]]
        check = ast.Expr(_called(hook, [line, *values, text]))
        broke = ast.Expr(_called("__broke__", [line, text]))
        anything = ast.Name("BaseException", ast.Load())
        handler = ast.ExceptHandler(type=anything, name=None, body=[broke])
        return ast.copy_location(ast.Try([check], [handler], [], []), node)


def _called(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])


def close_enough(got: Any, want: Any) -> bool:
    """Return whether values are equal up to rounding of floats, also in lists and tuples."""
    if isinstance(got, float) and isinstance(want, int | float):
        return got == want or math.isclose(got, want, rel_tol=TOLERANCE)
    if isinstance(got, list | tuple) and type(got) is type(want) and len(got) == len(want):
        return all(close_enough(mine, other) for mine, other in zip(got, want, strict=True))
    return bool(got == want)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except BaseException:
        text = type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"
