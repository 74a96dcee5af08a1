"""The program's side of a test run: calls its functions and returns their values.

It runs inside the sandbox together with the hostile program, which may report anything. It gets the
arguments only: neither the tests nor the values they expect.
"""

import ast
import io
import json
import os
import sys
import types
from typing import Any

from python_sandbox.test_run.values import NotPlainData, decode, encode

__all__ = ["discard_output", "load_program", "main"]


def main(order: dict[str, Any]) -> None:
    """Load `order["code"]` and make `order["calls"]`; one line of JSON for each."""
    out = discard_output()
    module, error = load_program(order["code"], order["prelude"])
    _send(out, {"loaded": error})
    for number, (name, arguments, keywords) in enumerate(order["calls"]):
        _send(out, {"call": number, **_call(module, name, decode(arguments), decode(keywords))})


class _DiscardingStream(io.TextIOBase):
    """A stream that discards everything; the sandbox may not write to /dev/null."""

    def write(self, text: str) -> int:
        return len(text)


def discard_output() -> int:
    """Discard what is printed; return a descriptor of the real stdout."""
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        setattr(sys, name, _DiscardingStream())
    return os.dup(1)


def load_program(code: str, prelude: str) -> tuple[types.ModuleType, str | None]:
    """Return a module made of both texts, and the first error.

    The statements run one by one, also after one that raises: a failing demonstration at the end
    must not hide the functions before it.
    """
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    first_error: str | None = None
    for text in (prelude, code):
        flags = 0
        for node in ast.parse(text).body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                flags |= _future(node)
            part = ast.Module([node], [])
            try:
                exec(  # noqa: S102  this is what the sandbox is for
                    compile(part, "candidate.py", "exec", flags, dont_inherit=True), module.__dict__
                )
            except BaseException as error:
                first_error = first_error or _line(error)
    return module, first_error


def _future(node: ast.ImportFrom) -> int:
    import __future__

    features = [getattr(__future__, alias.name, None) for alias in node.names]
    return sum(feature.compiler_flag for feature in features if feature is not None)


def _call(
    module: types.ModuleType, name: str, arguments: list[Any], keywords: dict[str, Any]
) -> dict[str, Any]:
    """Call a function; return `value` and `after`, or `raised` and `text`, or `opaque`."""
    before = json.dumps(encode(arguments))
    try:
        if not hasattr(module, name):
            raise NameError(f"name '{name}' is not defined")
        result = {"value": encode(getattr(module, name)(*arguments, **keywords))}
        after = encode(arguments)
        return result | ({} if json.dumps(after) == before else {"after": after})
    except NotPlainData as opaque:
        return {"opaque": str(opaque)[:100]}
    except BaseException as error:
        return {"raised": type(error).__name__, "text": _line(error)}


def _line(error: BaseException) -> str:
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    except BaseException:
        return type(error).__name__


def _send(out: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(out, data) :]
