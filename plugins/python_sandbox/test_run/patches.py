"""Names of standard modules that tests replace, such as `time.time`, for the program to see.

It runs in the tests' sandbox.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["PatchWatch"]

_PATCHING = re.compile(r"\bpatch\b|\bmonkeypatch\b|\bsetattr\b|^\s*\w+\.\w+\s*=[^=]", re.MULTILINE)
_NAMED = re.compile(r"\b([a-z_]\w*)\.\w+|\b(?:import|from)[ \t]+([a-z_]\w*)")
_FORWARDED_NAMES = {"builtins.input"}
"""`input` reaches the program in another way, as the standard streams do."""


class PatchWatch:
    """The standard modules that the tests name, as they were before the tests began."""

    def __init__(self, tests: str) -> None:
        self._before: dict[str, dict[str, Any]] = {}
        self._patched: dict[tuple[str, str], Any] = {}
        if _PATCHING.search(tests):
            for name in dict.fromkeys(match[1] or match[2] for match in _NAMED.finditer(tests)):
                if name in sys.stdlib_module_names and name not in ("sys", "unittest", "io", "os"):
                    module = importlib.import_module(name)
                    self._before[name] = dict(vars(module))

    def changes(self) -> Iterator[tuple[str, str, bool, Any]]:
        """Yield what the tests replaced and put back since the last call: module, name, whether it
        is replaced, and the new value."""
        for module, before in self._before.items():
            now = vars(sys.modules[module])
            for name, value in before.items():
                key, mine = (module, name), now.get(name)
                if f"{module}.{name}" in _FORWARDED_NAMES or mine is self._patched.get(key, value):
                    continue
                if mine is value:
                    del self._patched[key]
                    yield module, name, False, None
                else:
                    self._patched[key] = mine
                    yield module, name, True, mine
