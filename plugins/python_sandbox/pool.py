"""Jails started in advance, so that a check does not wait for an interpreter to start.

Each jail is used for one program only, so that no program can affect the next one. The kernel
ends a jail together with the thread that started it; therefore one thread, which runs as long as
the process, starts all of them.
"""

import atexit
import os
import threading

from python_sandbox.jail import SandboxProcess, await_endings
from python_sandbox.layers import Layer

__all__ = [
    "MAX_CPU_SECONDS",
    "POOL_SIZE",
    "SandboxPool",
    "close",
    "give_back_process",
    "take_warm_process",
    "warm_process_ids",
]

POOL_SIZE = 2
MAX_CPU_SECONDS = 60.0
"""CPU time limit of a warm jail in seconds; a program with a higher limit gets its own jail."""
MAX_IDLE_SECONDS = 60.0
"""Time after which unused jails are ended."""
MAX_START_SECONDS = 5.0
"""Time that `close` waits for a jail that is being started."""


class SandboxPool:
    """At most `size` waiting jails for one layer and memory limit; none before the first `take`."""

    def __init__(self, layer: Layer, memory: int, size: int = POOL_SIZE) -> None:
        self.kind = (layer, memory)
        self._size = size
        self._target_size = 0
        self._starting = False
        self._idle: list[SandboxProcess] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._keep, name="reasoner-jails", daemon=True).start()

    def take(self) -> SandboxProcess | None:
        """Return a waiting jail, or None; new ones are started in the background."""
        with self._changed:
            self._target_size = self._size
            jail = None
            while self._idle and jail is None:
                jail = self._idle.pop(0)
                if not jail.alive:
                    jail.close()
                    jail = None
            self._changed.notify_all()
        return jail

    def give_back(self, jail: SandboxProcess) -> bool:
        """Take a jail that has had no order; return False when there are enough."""
        with self._changed:
            if not self._target_size or len(self._idle) > self._size:
                return False
            self._idle.insert(0, jail)
        return True

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the waiting jails."""
        with self._changed:
            return tuple(jail.pid for jail in self._idle)

    def close(self) -> None:
        """End the waiting jails, not those in use. A later `take` starts new ones."""
        with self._changed:
            idle = self._empty()
            self._changed.wait_for(lambda: not self._starting, MAX_START_SECONDS)
        for jail in idle:
            jail.close()

    def _empty(self) -> list[SandboxProcess]:
        self._target_size = 0
        idle, self._idle = self._idle, []
        return idle

    def _keep(self) -> None:
        while True:
            with self._changed:
                timeout = MAX_IDLE_SECONDS if self._idle else None
                short = self._changed.wait_for(self._is_short, timeout)
                unused = [] if short else self._empty()
                self._starting = short
            for jail in unused:
                jail.close()
            if short:
                self._start()

    def _is_short(self) -> bool:
        return len(self._idle) < self._target_size

    def _start(self) -> None:
        try:
            jail = SandboxProcess(*self.kind, MAX_CPU_SECONDS)
        except (
            OSError,
            RuntimeError,
        ):  # the next program starts its own jail and reports the error
            jail = None
        with self._changed:
            self._starting = False
            if jail is None:
                self._target_size = 0
            elif self._is_short():
                self._idle.append(jail)
                jail = None
            self._changed.notify_all()
        if jail is not None:  # the pool was closed in the meantime
            jail.close()


_lock = threading.Lock()
_pools: list[SandboxPool] = []


def take_warm_process(layer: Layer, memory: int, seconds: float) -> SandboxProcess | None:
    """Return a waiting jail for a program with these limits; None when it must start its own."""
    if seconds > MAX_CPU_SECONDS:
        return None
    with _lock:
        if not _pools:
            atexit.register(close)
            os.register_at_fork(after_in_child=_pools.clear)  # a fork's jails are its parent's
        if not _pools or _pools[0].kind != (layer, memory):
            for pool in _pools:
                pool.close()
            _pools[:] = [SandboxPool(layer, memory)]
        pool = _pools[0]
    return pool.take()


def give_back_process(jail: SandboxProcess) -> None:
    """Keep a jail that has had no order for the next program, or end it."""
    kind = (jail.layer, jail.memory)
    if not any(pool.kind == kind and pool.give_back(jail) for pool in _pools):
        jail.close()


def warm_process_ids() -> tuple[int, ...]:
    """Return the process ids of the waiting jails."""
    return tuple(pid for pool in _pools for pid in pool.pids())


def close() -> None:
    """End the waiting jails of all pools; later programs start new ones."""
    for pool in _pools:
        pool.close()
    await_endings()
