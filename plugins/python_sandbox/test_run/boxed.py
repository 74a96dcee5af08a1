"""Running the tests' and the program's side in two sandboxes, which read none of our files."""

import json
import marshal
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from python_sandbox.jail import RunRequest
from python_sandbox.run import ConnectedRuns, run_connected

__all__ = ["run_tests_boxed"]

_PACKAGE = __name__.rpartition(".")[0]
_PACKAGES = list(accumulate(_PACKAGE.split("."), "{}.{}".format))
_HOST_MODULES = {"__init__", "boxed"}
_BOOT = """
import base64, importlib.machinery, json, marshal, sys
given = json.load(sys.stdin)
given["order"]["channel"] = [int(number) for number in sys.argv[1:]]
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


def run_tests_boxed(order: Mapping[str, Any], seconds: float) -> ConnectedRuns:
    """Run the tests of `order` against the program in it; the first run's errors are the report."""
    return run_connected((_request("suite", order), _request("program_side", {})), seconds)


def _request(module: str, order: Mapping[str, Any]) -> RunRequest:
    """Return the request to run `main(order)` of a module of this package."""
    stdin = {
        "packages": _PACKAGES,
        "modules": _modules(),
        "main": f"{_PACKAGE}.{module}",
        "order": dict(order),
    }
    return RunRequest(_BOOT, stdin=json.dumps(stdin), channel=True)


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
