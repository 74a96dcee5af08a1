"""Running the blocks of one trajectory in one namespace; only the last one's output is kept."""

import ast
import contextlib
import linecache
import os
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from python_sandbox.inside.account import error_line, flush_output, line_number
from python_sandbox.inside.fixed_randomness import fix_randomness

__all__ = ["run_blocks"]


def run_blocks(earlier: Sequence[str], code: str) -> dict[str, Any]:
    """Run `earlier`, ignoring output and exceptions, then `code`; returns as `run_program` does."""
    fix_randomness()
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    with _discard_output():
        for number, block in enumerate(earlier, 1):
            with contextlib.suppress(BaseException):
                _execute(block, f"block {number}", module)
    name = f"block {len(earlier) + 1}"
    try:
        _execute(code, name, module)
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return {"stage": "ran"}
        failed_line = line_number(error, name)
        message = error_line(error) + (f" (line {failed_line})" if failed_line else "")
        return {"stage": "error", "error": message, "kind": type(error).__name__}
    return {"stage": "ran"}


def _execute(source: str, name: str, module: types.ModuleType) -> None:
    """Run a block; when it ends in a bare expression, print the value's repr."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    tree = ast.parse(source, name)
    last_expression = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
    compiled = [compile(tree, name, "exec", dont_inherit=True)]
    if last_expression:  # "single" hands the value to sys.displayhook, which leaves None out
        last = ast.Interactive(body=list[ast.stmt](last_expression))
        compiled.append(compile(last, name, "single", dont_inherit=True))
    for code in compiled:
        exec(code, module.__dict__)  # noqa: S102  this is what the sandbox is for


@contextlib.contextmanager
def _discard_output() -> Iterator[None]:
    """Discard all output inside this context, also that of C code."""
    flush_output()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    null_device = os.open(os.devnull, os.O_WRONLY)
    for descriptor, _ in saved:
        os.dup2(null_device, descriptor)
    os.close(null_device)
    try:
        yield
    finally:
        flush_output()
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
