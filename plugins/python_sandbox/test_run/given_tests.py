"""Running given tests: statements, `check(candidate)`, `test_…` functions and test cases.

It runs in the tests' sandbox.
"""

import sys
import types
from typing import Any

from python_sandbox.test_run.pytest_stand_in import make_pytest
from python_sandbox.test_run.scores import CheckResults
from python_sandbox.test_run.softening import compile_soft_tests
from python_sandbox.test_run.tests_side import TESTS_MODULE

__all__ = ["run_given_tests"]


def run_given_tests(
    tests: str, names: dict[str, Any], entry_point: str | None, scores: CheckResults
) -> None:
    """Run the tests in the namespace `names`; record the results in `scores`."""
    try:
        code = compile_soft_tests(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        scores.broken = f"the tests are no Python: {error}"[:200]
        return
    if "random" in tests:
        import random

        random.seed(0)
    if "pytest" in tests:
        sys.modules["pytest"] = make_pytest()
    if "unittest" in tests:
        _disarm_unittest()
    before = {*names}
    names |= {"__name__": TESTS_MODULE, **scores.hooks()}
    with scores.whole(("module", 0), "the tests"):
        exec(code, names)  # noqa: S102  in the sandbox; the user's tests
    for name, value in list(names.items()):
        if name not in before:
            _run_collected(name, value, names, entry_point, scores)


def _run_collected(
    name: str, value: Any, names: dict[str, Any], entry_point: str | None, scores: CheckResults
) -> None:
    """Run a test function or test case that the tests themselves did not run."""
    if isinstance(value, types.FunctionType) and name not in scores.entered:
        if name == "check":
            candidate = eval(entry_point, names) if entry_point else None  # noqa: S307
            with scores.whole(("check", 0), "check"):
                value(candidate)
        elif name.startswith("test"):
            _run_function(name, value, scores)
    elif isinstance(value, type) and value.__module__ == TESTS_MODULE:
        _run_class(name, value, scores)


def _run_function(name: str, test: Any, scores: CheckResults) -> None:
    cases = getattr(test, "__cases__", [{}])
    needed = _parameters(test)
    for number, case in enumerate(cases):
        if missing := [parameter for parameter in needed if parameter not in case]:
            scores.broken = f"{name} takes arguments: the fixture {missing[0]} is not supported"
            return
        with scores.whole((name, number), name):
            _complete(test(**case))


def _run_class(name: str, kind: type, scores: CheckResults) -> None:
    """Run a `TestCase`, or a class whose name begins with `Test`, each test on a new instance."""
    is_case = any(base.__name__ == "TestCase" for base in kind.__mro__)
    if not is_case and not name.startswith("Test"):
        return
    setups = ["setUp", "asyncSetUp", "setup_method"]
    with scores.guard((name, -1), f"{name}.setUpClass"):
        for step in ("setUpClass", "setup_class"):
            getattr(kind, step, lambda: None)()
    for test_name in [n for n in dir(kind) if n.startswith("test")]:
        instance = kind(test_name) if is_case else kind()
        with scores.guard((f"{name}.{test_name}", -1), f"{name}.{test_name}"):
            for step in setups:
                _finish(getattr(instance, step, lambda: None))
            _run_function(f"{name}.{test_name}", getattr(instance, test_name), scores)
            _finish(getattr(instance, "tearDown", lambda: None))


def _finish(step: Any) -> None:
    try:
        result = step()
    except TypeError:  # `setup_method(self, method)`
        result = step(None)
    _complete(result)


def _complete(result: Any) -> None:
    """Run a coroutine to its end."""
    if isinstance(result, types.CoroutineType):
        import asyncio  # slow to import

        asyncio.run(result)


def _parameters(test: Any) -> list[str]:
    """Return the names of the parameters without a default."""
    function = getattr(test, "__func__", test)
    code = function.__code__
    names = code.co_varnames[: code.co_argcount - len(function.__defaults__ or ())]
    return list(names[1:] if isinstance(test, types.MethodType) else names)


def _disarm_unittest() -> None:
    """Keep `unittest.main()` from running the tests and ending the process."""
    import unittest

    unittest.main = lambda *_, **__: None  # type: ignore[assignment]
    unittest.TestCase.subTest = _sub_test  # type: ignore[method-assign,assignment]


def _sub_test(_case: Any, *_: Any, **__: Any) -> Any:
    import contextlib

    return contextlib.nullcontext()
