"""The blocks of one path, as a notebook runs its cells: one namespace, the last one heard."""

import ast
import contextlib
import linecache
import os
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from reasoner.plugins.python_sandbox.inside.account import flush, line, line_number
from reasoner.plugins.python_sandbox.inside.chance import settle

__all__ = ["run"]


def run(earlier: Sequence[str], code: str) -> dict[str, Any]:
    """Run `earlier` unheard and whatever happens in it, then `code`; see `program.run`."""
    settle()
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    with _unheard():
        for number, block in enumerate(earlier, 1):
            with contextlib.suppress(BaseException):
                _execute(block, f"block {number}", module)
    name = f"block {len(earlier) + 1}"
    try:
        _execute(code, name, module)
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return {"stage": "ran"}
        where = line_number(error, name)
        said = line(error) + (f" (line {where})" if where else "")
        return {"stage": "error", "error": said, "kind": type(error).__name__}
    return {"stage": "ran"}


def _execute(source: str, name: str, module: types.ModuleType) -> None:
    """Run a block; when it ends in a bare expression, print that value's repr."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    tree = ast.parse(source, name)
    shown = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
    compiled = [compile(tree, name, "exec", dont_inherit=True)]
    if shown:  # "single" hands the value to sys.displayhook, which leaves None out
        last = ast.Interactive(body=list[ast.stmt](shown))
        compiled.append(compile(last, name, "single", dont_inherit=True))
    for code in compiled:
        exec(code, module.__dict__)  # noqa: S102  this is what the sandbox is for


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Nothing printed in here, by Python or below it, comes out."""
    flush()
    kept = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor, _ in kept:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    try:
        yield
    finally:
        flush()
        for descriptor, copy in kept:
            os.dup2(copy, descriptor)
            os.close(copy)
