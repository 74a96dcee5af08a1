"""Running a program as `__main__`, counting the assertions that held, running its doctests."""

import ast
import linecache
import sys
import types
from typing import Any

from python_sandbox.inside.account import error_line, print_traceback
from python_sandbox.inside.lint import lint_program

__all__ = ["run_program"]

FILE = "program.py"


def run_program(source: str, lint: bool = False) -> dict[str, Any]:
    """Run a program; return `stage` (syntax, error, ran), `error`, `kind`, `asserts` and so on."""
    held_assertions = [0]
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    try:
        code = _compile(source, held_assertions, module)
        lints = {"lints": lint_program(source)} if lint else {}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        print_traceback(error, FILE)
        return {"stage": "syntax", "error": error_line(error)}
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102  this is what the sandbox is for
        tests = _doctests(module, source)
        return {"stage": "ran", "asserts": held_assertions[0], **tests, **lints}
    except SystemExit as stop:
        if stop.code in (None, 0):
            return {"stage": "ran", "asserts": held_assertions[0], **lints}
        text = f"SystemExit: {stop.code}"[:300]
        return {"stage": "error", "error": text, "kind": "SystemExit", **lints}
    except BaseException as error:
        print_traceback(error, FILE)
        kind = type(error).__name__
        return {"stage": "error", "error": error_line(error), "kind": kind, **lints}


def _compile(source: str, held_assertions: list[int], module: types.ModuleType) -> types.CodeType:
    """Compile the program so that it counts the assertions that were reached and held."""
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    tree = ast.parse(source, FILE)

    class Counted(ast.NodeTransformer):
        def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
            parts = list(ast.walk(node.test))
            if not any(isinstance(part, ast.Name | ast.Call) for part in parts):
                return [node]  # `assert True` tests nothing
            call = ast.Call(ast.Name("__assertion_held__", ast.Load()), [], [])
            return [node, ast.copy_location(ast.Expr(call), node)]

    def held() -> None:
        held_assertions[0] += 1

    module.__dict__["__assertion_held__"] = held
    counted = ast.fix_missing_locations(Counted().visit(tree))
    return compile(counted, FILE, "exec", dont_inherit=True)


def _doctests(module: types.ModuleType, source: str) -> dict[str, int]:
    """Run the doctests; an example without expected output fails only when it prints False."""
    if ">>>" not in source:
        return {"tried": 0, "failed": 0}
    import doctest

    class Checker(doctest.OutputChecker):
        def check_output(self, want: str, got: str, optionflags: int) -> bool:
            if not want:
                return got != "False\n"
            return super().check_output(want, got, optionflags)

    runner = doctest.DocTestRunner(Checker(), verbose=False)
    try:
        tests = doctest.DocTestFinder().find(module, "program", globs=module.__dict__)
    except ValueError:  # a docstring that only looks like examples
        return {"tried": 0, "failed": 0}
    for test in tests:
        runner.run(test)
    return {"tried": runner.tries, "failed": runner.failures}
