"""The program's names among those of the tests; the values of variables pass in both directions.

It runs in the tests' sandbox.
"""

import ast
import builtins
from typing import Any

from python_sandbox.test_run.peer import Uncarried
from python_sandbox.test_run.remote import RemoteFunction, RemoteModule, RemoteObject, RemoteType
from python_sandbox.test_run.tests_side import TestsSide

__all__ = ["ProgramNames", "used_names"]


class ProgramNames:
    """The names that the program defines, put into the namespace of the tests.

    A variable that the program changes changes for the tests, too, and the other way round, as if
    both stood in one file.
    """

    def __init__(
        self,
        peer: TestsSide,
        module: RemoteModule,
        names: list[str],
        rebound: list[str],
        namespace: dict[str, Any],
    ) -> None:
        self._module, self._rebound, self._namespace = module, {*rebound}, namespace
        self._variables: dict[str, Any] = {}
        for name in names:
            try:
                value = getattr(module, name)
            except (Uncarried, AttributeError):
                continue
            namespace[name] = value
            if not isinstance(value, RemoteFunction | RemoteObject | RemoteType | RemoteModule):
                self._variables[name] = value
        peer.doubts.clear()

    def send_changes(self) -> None:
        """Send the variables that the tests changed, before a request."""
        for name, value in self._variables.items():
            mine = self._namespace.get(name, value)
            if mine is not value:
                self._variables[name] = mine
                setattr(self._module, name, mine)

    def fetch_changes(self) -> None:
        """Fetch the variables that the program changed, after a request."""
        for name in self._rebound & {*self._variables}:
            value = self._variables[name]
            theirs = getattr(self._module, name)
            if theirs is not value and (type(theirs) is not type(value) or theirs != value):
                self._variables[name] = self._namespace[name] = theirs


def used_names(tests: str) -> list[str]:
    """Return the names that tests use without defining or importing them from elsewhere."""
    try:
        parts = list(ast.walk(ast.parse(tests)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = [part for part in parts if isinstance(part, ast.Name)]
    defined = {name.id for name in names if not isinstance(name.ctx, ast.Load)} | {*dir(builtins)}
    for part in parts:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(part.name)
        elif isinstance(part, ast.arg):
            defined.add(part.arg)
        elif isinstance(part, ast.Import):
            defined |= {(a.asname or a.name).partition(".")[0] for a in part.names}
    used = [name.id for name in names if name.id not in defined]
    imported = [a.name for p in parts if isinstance(p, ast.ImportFrom) for a in p.names]
    return list(dict.fromkeys([*used, *imported]))
