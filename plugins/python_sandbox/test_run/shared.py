"""Lists, dicts and sets that exist on both sides: a change on one side reaches the other.

Both sides keep a table of the containers that were passed lately. With each message a side sends
the contents that changed since the last one. It runs inside the sandbox.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from python_sandbox.test_run.values import NotPlainData

__all__ = ["SharedContainers"]

MAX_SHARED = 24
MAX_SHARED_ITEMS = 4000
_TABLE_REFERENCES = 4
"""References to a container that nobody but the table and the caller holds."""


class SharedContainers:
    """The containers that both sides hold, by number.

    `step` tells the numbers of the two sides apart; `prunes` is set on the side that forgets
    containers which only the table still holds, and tells the other side.
    """

    def __init__(self, first: int, encode: Callable[[object], Any], prunes: bool) -> None:
        self._next, self._encode, self._prunes = first, encode, prunes
        self._table: dict[int, tuple[Any, str]] = {}
        self._numbers: dict[int, int] = {}
        self._forgotten: list[int] = []

    def number(self, container: Any) -> int | None:
        """Return the number of a container, new for a new one; None when it is not shared."""
        if (number := self._numbers.get(id(container))) is not None:
            return number
        if len(container) > MAX_SHARED_ITEMS:
            return None
        self._next += 2
        self.add(self._next, container)
        return self._next

    def add(self, number: int, container: Any) -> None:
        """Put a container into the table; the oldest one gives way."""
        while len(self._table) >= MAX_SHARED:
            self._forget(next(iter(self._table)))
        self._table[number] = (container, self._content(container))
        self._numbers[id(container)] = number

    def get(self, number: int) -> Any:
        """Return the container with this number, or None."""
        entry = self._table.get(number)
        return entry[0] if entry else None

    def changes(self) -> dict[str, Any]:
        """Return what the other side must be told: changed contents and forgotten numbers."""
        changed = []
        for number, (container, before) in list(self._table.items()):
            content = self._content(container)
            if content != before:
                self._table[number] = (container, content)
                changed.append([number, content])
        if self._prunes:
            self._prune()
        forgotten, self._forgotten = self._forgotten, []
        return ({"changed": changed} if changed else {}) | (
            {"forgotten": forgotten} if forgotten else {}
        )

    def apply(self, message: dict[str, Any], decode: Callable[[Any], Any]) -> None:
        """Change the containers as the other side changed them."""
        for number, content in message.get("changed", ()):
            if number in self._table and content:
                container = self._table[number][0]
                _replace(container, decode(json.loads(content)))
                self._table[number] = (container, self._content(container))
        for number in message.get("forgotten", ()):
            if number in self._table:
                self._forget(number, tell=False)

    def _content(self, container: Any) -> str:
        try:
            return json.dumps(self._encode(container))
        except NotPlainData:
            return ""

    def _forget(self, number: int, tell: bool = True) -> None:
        container, _ = self._table.pop(number)
        self._numbers.pop(id(container), None)
        if tell:
            self._forgotten.append(number)

    def _prune(self) -> None:
        for number in list(self._table):
            container = self._table[number][0]
            if sys.getrefcount(container) < _TABLE_REFERENCES:
                self._forget(number)


def _replace(mine: Any, new: Any) -> None:
    """Give a container new contents; containers in it stay the same objects where they can."""
    if type(mine) is not type(new) or isinstance(mine, tuple):
        return
    if isinstance(mine, list):
        mine[:] = [
            _merged(mine[place], value) if place < len(mine) else value
            for place, value in enumerate(new)
        ]
    elif isinstance(mine, dict):
        merged = {key: _merged(mine.get(key), value) for key, value in new.items()}
        mine.clear()
        mine.update(merged)
    else:
        mine.clear()
        mine.update(new) if isinstance(mine, set) else mine.extend(new)


def _merged(old: Any, new: Any) -> Any:
    if type(old) is type(new) and isinstance(new, list | dict | set):
        _replace(old, new)
        return old
    return new
