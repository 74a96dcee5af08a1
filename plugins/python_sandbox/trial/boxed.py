"""Running our own modules in the sandbox: they travel as text, since nothing can be read there."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from reasoner.plugins.python_sandbox.run import Run, run_python

__all__ = ["run_boxed"]

_PACKAGE = "reasoner.plugins.python_sandbox.trial"
_BOOT = """
import json, sys, types
given = json.load(sys.stdin)
for name, source in given["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
sys.modules[given["modules"][-1][0]].main(given["order"])
"""


def run_boxed(
    modules: Sequence[str], order: Mapping[str, Any], seconds: float
) -> tuple[Run, list[str]]:
    """Run `main(order)` of the last of our modules; the run, and the lines it wrote.

    The modules come in the order in which they import each other.
    """
    sources = [(f"{_PACKAGE}.{name}", _source(name)) for name in modules]
    stdin = json.dumps({"modules": sources, "order": dict(order)})
    run = run_python(_BOOT, stdin=stdin, seconds=seconds)
    return run, run.stdout.splitlines()


@cache
def _source(name: str) -> str:
    return Path(__file__).with_name(f"{name}.py").read_text("utf-8")
