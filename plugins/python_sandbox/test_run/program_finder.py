"""Importing the program where the tests import it, so that it reads the input they prepared.

It runs in the tests' sandbox.
"""

import importlib.machinery
import re
import types
from collections.abc import Callable, Sequence

from python_sandbox.test_run.loading import MODULES

__all__ = ["ProgramFinder", "loads_late"]

_IMPORT = re.compile(rf"(?m)^[ \t]*(?:import|from)[ \t]+(?:{'|'.join(MODULES)})\b")
_INPUT = re.compile(r"\bstdin\b|\binput\b")


def loads_late(tests: str) -> bool:
    """Return whether the tests prepare an input and import the program themselves."""
    imported = _IMPORT.search(tests)
    return imported is not None and _INPUT.search(tests, 0, imported.start()) is not None


class ProgramFinder:
    """Loads the program when its module is imported for the first time."""

    def __init__(self, load: Callable[[], types.ModuleType | None]) -> None:
        self._load = load

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for the names under which tests import a program."""
        if name not in MODULES:
            return None
        return importlib.machinery.ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Load the program and return its stand-in."""
        return self._load()

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: loading has run the program."""
