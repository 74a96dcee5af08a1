"""Running modules of this package in the sandbox; they are sent as code, as no file is readable."""

import json
import marshal
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from python_sandbox.execution import ProgramRun
from python_sandbox.run import run_python

__all__ = ["run_boxed"]

_PACKAGE = __name__.rpartition(".")[0]
_PACKAGES = list(accumulate(_PACKAGE.split("."), "{}.{}".format))
_HOST_MODULES = {"__init__", "boxed"}
_BOOT = """
import base64, importlib.machinery, json, marshal, sys
given = json.load(sys.stdin)
class Carried:
    def find_spec(self, name, path=None, target=None):
        if name in given["modules"]:
            return importlib.machinery.ModuleSpec(name, self, is_package=name in given["packages"])
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        code = given["modules"][module.__name__]
        exec(marshal.loads(base64.b64decode(code)), module.__dict__)
sys.meta_path.insert(0, Carried())
__import__(given["main"])
sys.modules[given["main"]].main(given["order"])
"""
"""Imports the modules that were sent, and calls `main` of one of them."""


def run_boxed(
    module: str, order: Mapping[str, Any], seconds: float
) -> tuple[ProgramRun, list[str]]:
    """Run `main(order)` of a module of this package; return the run and the lines it printed."""
    stdin = {
        "packages": _PACKAGES,
        "modules": _modules(),
        "main": f"{_PACKAGE}.{module}",
        "order": dict(order),
    }
    run = run_python(_BOOT, stdin=json.dumps(stdin), seconds=seconds)
    return run, run.stdout.splitlines()


@cache
def _modules() -> dict[str, str]:
    """Return the modules for the sandbox, compiled by this interpreter."""
    sources = dict.fromkeys(_PACKAGES, "")
    for path in Path(__file__).parent.glob("*.py"):
        if path.stem not in _HOST_MODULES:
            sources[f"{_PACKAGE}.{path.stem}"] = path.read_text("utf-8")
    return {
        name: b64encode(marshal.dumps(compile(source, name, "exec"))).decode()
        for name, source in sources.items()
    }
