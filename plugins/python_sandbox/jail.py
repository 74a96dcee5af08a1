"""The child's side: put every limit on ourselves, then run the program and report how it went.

Standard library only, and nothing of the project but `verify.confine`: this process is about
to belong to the program. What it reports is the program's word, not proof.
"""

import json
import os
import sys
import types
from typing import Any

__all__ = ["main"]

MAX_FILE = 16 << 20
MAX_DESCRIPTORS = 64


def main() -> None:
    """Run as `argv[1]` (JSON) says: program, limits, trees, what to confine with, report to."""
    order = json.loads(sys.argv.pop(1))
    _limit(order)
    _confine(order)
    with open(order["program"], encoding="utf-8") as file:
        source = file.read()
    report = _run(source)
    _flush()
    os.write(order["report"], json.dumps(report).encode())
    if report["stage"] != "ran":
        os._exit(1)


def _limit(order: dict[str, Any]) -> None:
    import resource

    seconds = int(order["seconds"]) + 1
    limits = {
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_FSIZE": (MAX_FILE, MAX_FILE),
        "RLIMIT_NOFILE": (MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        "RLIMIT_CORE": (0, 0),
    }
    if sys.platform != "darwin":  # there it is not enforced; the parent watches the size
        limits["RLIMIT_AS"] = (order["memory"], order["memory"])
    for name, values in limits.items():
        resource.setrlimit(getattr(resource, name), values)


def _confine(order: dict[str, Any]) -> None:
    """Any failure in here raises, and the program never runs."""
    keep = {0, 1, 2, order["report"]}
    for descriptor in range(3, 256):
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                continue
    if order["confine"]:
        from reasoner.verify.confine import confine

        confine(order["confine"], order["read"], order["write"])


def _run(source: str) -> dict[str, Any]:
    reached = [0]
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.argv = ["program.py"]
    try:
        code = _compile(source, reached, module)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        _show(error)
        return {"stage": "syntax", "error": _line(error)}
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102  this is what the sandbox is for
        return {"stage": "ran", "asserts": reached[0], **_doctests(module, source)}
    except SystemExit as stop:
        if stop.code in (None, 0):
            return {"stage": "ran", "asserts": reached[0], "tried": 0, "failed": 0}
        return {"stage": "error", "error": f"SystemExit: {stop.code}"[:300], "kind": "SystemExit"}
    except BaseException as error:
        _show(error)
        return {"stage": "error", "error": _line(error), "kind": type(error).__name__}


def _compile(source: str, reached: list[int], module: types.ModuleType) -> types.CodeType:
    """Compile, with a count of the assertions that were reached and did not fail."""
    import ast
    import linecache

    linecache.cache["program.py"] = (len(source), None, source.splitlines(True), "program.py")
    tree = ast.parse(source, "program.py")

    class Counted(ast.NodeTransformer):
        def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
            parts = list(ast.walk(node.test))
            if not any(isinstance(part, ast.Name | ast.Call) for part in parts):
                return [node]  # `assert True` tests nothing
            call = ast.Call(ast.Name("__assertion_held__", ast.Load()), [], [])
            return [node, ast.copy_location(ast.Expr(call), node)]

    def held() -> None:
        reached[0] += 1

    module.__dict__["__assertion_held__"] = held
    counted = ast.fix_missing_locations(Counted().visit(tree))
    return compile(counted, "program.py", "exec", dont_inherit=True)


def _doctests(module: types.ModuleType, source: str) -> dict[str, int]:
    """Run the examples; one without an expected output fails only when it says False."""
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


def _show(error: BaseException) -> None:
    """The traceback without our own frames."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != "program.py":
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace, limit=-8)


def _line(error: BaseException) -> str:
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = type(error).__name__
    return " ".join(text.split())[:300]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
