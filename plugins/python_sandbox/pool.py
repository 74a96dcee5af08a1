"""Jails started ahead of time, so that a check need not wait for an interpreter to boot.

Each is used for one program and thrown away; what one program does to its jail, the next never
sees. The kernel ends a jail with the thread that started it, so all warm ones are started by one
thread that lives as long as the process, and none outlives it.
"""

import atexit
import os
import threading

from reasoner.plugins.python_sandbox.jail import Jail
from reasoner.plugins.python_sandbox.layers import Layer

__all__ = ["LONGEST", "SIZE", "Pool", "close", "pids", "warm"]

SIZE = 2
LONGEST = 60.0
"""Seconds of CPU time a warm jail may use, whatever the program's own limit."""
IDLE = 60.0
"""Seconds after which jails that nobody asked for are let go."""
STARTING = 5.0
"""Seconds that closing waits for a jail which is just being started."""


class Pool:
    """At most `size` jails of one kind, waiting; none before the first `take`."""

    def __init__(self, layer: Layer, memory: int, size: int = SIZE) -> None:
        self.kind = (layer, memory)
        self._size = size
        self._wanted = 0
        self._starting = False
        self._idle: list[Jail] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._keep, name="reasoner-jails", daemon=True).start()

    def take(self) -> Jail | None:
        """A jail that waits, None if there is none yet; others are started in the background."""
        with self._changed:
            self._wanted = self._size
            found = None
            while self._idle and found is None:
                found = self._idle.pop(0)
                if not found.alive:
                    found.close()
                    found = None
            self._changed.notify_all()
        return found

    def pids(self) -> tuple[int, ...]:
        """The jails that wait now."""
        with self._changed:
            return tuple(jail.pid for jail in self._idle)

    def close(self) -> None:
        """End the jails that wait; those in use go on. A later `take` starts new ones."""
        with self._changed:
            idle = self._empty()
            self._changed.wait_for(lambda: not self._starting, STARTING)
        for jail in idle:
            jail.close()

    def _empty(self) -> list[Jail]:
        self._wanted = 0
        idle, self._idle = self._idle, []
        return idle

    def _keep(self) -> None:
        while True:
            with self._changed:
                patience = IDLE if self._idle else None
                short = self._changed.wait_for(self._is_short, patience)
                unused = [] if short else self._empty()
                self._starting = short
            for jail in unused:
                jail.close()
            if short:
                self._start()

    def _is_short(self) -> bool:
        return len(self._idle) < self._wanted

    def _start(self) -> None:
        try:
            jail = Jail(*self.kind, LONGEST)
        except (OSError, RuntimeError):  # the next program starts its own and says what is wrong
            jail = None
        with self._changed:
            self._starting = False
            if jail is None:
                self._wanted = 0
            elif self._is_short():
                self._idle.append(jail)
                jail = None
            self._changed.notify_all()
        if jail is not None:  # closed meanwhile
            jail.close()


_lock = threading.Lock()
_pools: list[Pool] = []


def warm(layer: Layer, memory: int, seconds: float) -> Jail | None:
    """A warm jail for a program of this kind; None when it has to start its own."""
    if seconds > LONGEST:
        return None
    with _lock:
        if not _pools:
            atexit.register(close)
            os.register_at_fork(after_in_child=_pools.clear)  # a fork's jails are its parent's
        if not _pools or _pools[0].kind != (layer, memory):
            for pool in _pools:
                pool.close()
            _pools[:] = [Pool(layer, memory)]
        pool = _pools[0]
    return pool.take()


def pids() -> tuple[int, ...]:
    """The jails that wait now."""
    return tuple(pid for pool in _pools for pid in pool.pids())


def close() -> None:
    """End the jails that wait; later programs start new ones."""
    for pool in _pools:
        pool.close()
