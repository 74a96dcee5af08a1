"""The submission's side of a trial: calls its functions, as told, and passes back the values.

Runs inside the sandbox together with the hostile program, which may say whatever it likes here.
It is told the arguments and nothing else: neither the tests nor what they expect.
"""

import ast
import io
import json
import os
import sys
import types
from typing import Any

from reasoner.plugins.python_sandbox.trial.values import Opaque, decode, encode

__all__ = ["load", "main", "silence"]


def main(order: dict[str, Any]) -> None:
    """Load `order["code"]` and make `order["calls"]`; one line of JSON for each."""
    out = silence()
    module, error = load(order["code"], order["prelude"])
    _say(out, {"loaded": error})
    for number, (name, arguments, keywords) in enumerate(order["calls"]):
        _say(out, {"call": number, **_call(module, name, decode(arguments), decode(keywords))})


class _Nowhere(io.TextIOBase):
    """A stream that takes everything; /dev/null cannot be written to in here."""

    def write(self, text: str) -> int:
        return len(text)


def silence() -> int:
    """Send what is printed nowhere; the descriptor returned leads to the real stdout."""
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        setattr(sys, name, _Nowhere())
    return os.dup(1)


def load(code: str, prelude: str) -> tuple[types.ModuleType, str | None]:
    """A module made of both texts, and the first error on the way.

    Statement by statement, and on past one that raises: a failing demonstration at the end
    must not hide the functions before it.
    """
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    first: str | None = None
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
                first = first or _line(error)
    return module, first


def _future(node: ast.ImportFrom) -> int:
    import __future__

    features = [getattr(__future__, alias.name, None) for alias in node.names]
    return sum(feature.compiler_flag for feature in features if feature is not None)


def _call(
    module: types.ModuleType, name: str, arguments: list[Any], keywords: dict[str, Any]
) -> dict[str, Any]:
    """`value`, with `after` where arguments changed; or `raised` and `text`; or `opaque`."""
    before = json.dumps(encode(arguments))
    try:
        if not hasattr(module, name):
            raise NameError(f"name '{name}' is not defined")
        result = {"value": encode(getattr(module, name)(*arguments, **keywords))}
        after = encode(arguments)
        return result | ({} if json.dumps(after) == before else {"after": after})
    except Opaque as opaque:
        return {"opaque": str(opaque)[:100]}
    except BaseException as error:
        return {"raised": type(error).__name__, "text": _line(error)}


def _line(error: BaseException) -> str:
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    except BaseException:
        return type(error).__name__


def _say(out: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(out, data) :]
