"""A child process that is kept warm, asked in JSON, and killed when it is late.

Whatever parses hostile text lives on the other side of this pipe. The child is its own session
and process group, inherits no descriptors and a bare environment, and limits its own memory and
CPU before it imports anything. The parent holds the clock: a late child is killed and the next
request starts a fresh one.
"""

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

__all__ = ["Child", "ChildDied", "ChildFailed", "ChildPool", "bare_environment", "python_command"]

MAX_REPLY = 4 << 20
_FRAME = struct.Struct(">I")
_BOOT = (
    "import json,sys,types,importlib\n"
    "path,parents,module,memory=json.loads(sys.argv.pop(1))\n"
    "import resource\n"
    "if memory and sys.platform!='darwin':\n"
    " resource.setrlimit(resource.RLIMIT_AS,(memory,memory))\n"
    "resource.setrlimit(resource.RLIMIT_CORE,(0,0))\n"
    "sys.path[:]=path\n"
    "for name,where in parents:\n"
    " package=sys.modules[name]=types.ModuleType(name)\n"
    " package.__path__=[where]\n"
    "importlib.import_module(module).main()\n"
)


class ChildFailed(Exception):
    """The child was killed for being late, ran out of memory, or died; the message says which."""


class ChildDied(ChildFailed):
    """It was gone, or went, without having used up its time."""


def python_command(
    module: str, memory: int = 0, path: Sequence[str] | None = None, arguments: Sequence[str] = ()
) -> list[str]:
    """A command that runs `module.main()` in a fresh isolated interpreter.

    The module's parent packages are stood in for, so that nothing but the module itself and what
    it imports is loaded. `memory` limits the address space, in bytes (0: no limit); `path`
    replaces the import path; `arguments` become `sys.argv[1:]`.
    """
    import reasoner

    root = Path(reasoner.__file__).parent
    names = module.split(".")[:-1]
    parents = [
        (".".join(names[: count + 1]), str(root.joinpath(*names[1 : count + 1])))
        for count in range(len(names))
    ]
    path = [entry for entry in sys.path if entry] if path is None else list(path)
    boot = json.dumps([path, parents, module, memory])
    return [sys.executable, "-I", "-S", "-B", "-c", _BOOT, boot, *arguments]


def bare_environment(home: str = "/nonexistent") -> dict[str, str]:
    """The environment children get: nothing of ours, one thread, no compiled big numbers."""
    return {
        "HOME": home,
        "LANG": "C.UTF-8",
        "MPMATH_NOGMPY": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PATH": "/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "SYMPY_GROUND_TYPES": "python",
        "TMPDIR": home,
    }


class Child:
    """One warm child that runs `module.main()`; used by one thread at a time."""

    def __init__(self, module: str, memory: int) -> None:
        self._process = subprocess.Popen(
            python_command(module, memory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, JsonValue], seconds: float) -> dict[str, JsonValue]:
        """Send a request and wait for its reply; a late or dead child is killed (ChildFailed)."""
        end = time.monotonic() + seconds
        body = json.dumps(request | {"seconds": seconds}).encode()
        try:
            self._write(_FRAME.pack(len(body)) + body, end)
            (length,) = _FRAME.unpack(self._read(_FRAME.size, end))
            if length > MAX_REPLY:
                raise ChildFailed("its reply was too long")
            reply = json.loads(self._read(length, end))
            if not isinstance(reply, dict):
                raise ChildFailed("its reply was not an object")
            return reply
        except (OSError, ValueError, RecursionError) as error:
            self.close()
            raise ChildDied(f"the worker died ({self._process.returncode}): {error}") from error
        except ChildFailed:
            self.close()
            raise

    def close(self) -> None:
        """Kill the child's whole group and reap it."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, data: bytes, end: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(end, write=True)
            view = view[os.write(self._in, view) :]

    def _read(self, count: int, end: float) -> bytes:
        parts: list[bytes] = []
        while count:
            self._wait(end, write=False)
            part = os.read(self._out, min(count, 1 << 16))
            if not part:
                self._process.wait()
                raise _death(self._process.returncode)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _wait(self, end: float, write: bool) -> None:
        left = end - time.monotonic()
        poll = select.poll()
        poll.register(self._in if write else self._out, select.POLLOUT if write else select.POLLIN)
        if left <= 0 or not poll.poll(left * 1000):
            raise ChildFailed("it took longer than the time limit")


def _death(code: int | None) -> ChildFailed:
    if code == -signal.SIGPROF:
        return ChildFailed("it took longer than the time limit")
    return ChildDied(f"the worker died (exit {code}), most likely out of memory")


class ChildPool:
    """Warm children of one kind, made as they are needed and shared by any number of threads."""

    def __init__(self, module: str, memory: int, most: int = 4, warm: int = 2) -> None:
        self._module, self._memory, self._warm = module, memory, warm
        self._slots = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()

    def ask(self, request: dict[str, JsonValue], seconds: float) -> dict[str, JsonValue]:
        """As `Child.ask`, by whichever child is free; waiting for one counts as time spent."""
        end = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise ChildFailed("every worker was busy")
        try:
            return self._ask_one(request, end, self._take())
        finally:
            self._slots.release()

    def _ask_one(
        self, request: dict[str, JsonValue], end: float, child: Child, again: bool = True
    ) -> dict[str, JsonValue]:
        """A warm child may have died since it was last asked; that costs one more try."""
        try:
            return child.ask(request, max(0.01, end - time.monotonic()))
        except ChildDied:
            if not again:
                raise
        finally:
            self._give_back(child)
        return self._ask_one(request, end, self._take(), again=False)

    def pids(self) -> tuple[int, ...]:
        """The children alive now."""
        with self._lock:
            return tuple(child.pid for child in [*self._idle, *self._busy] if child.alive)

    def close(self) -> None:
        """Kill every idle child, and every busy one in the middle of what it does."""
        with self._lock:
            idle, self._idle = self._idle, []
            for child in self._busy:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
        for child in idle:
            child.close()

    def _take(self) -> Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    break
                child.close()
            else:
                child = Child(self._module, self._memory)
            self._busy.add(child)
        return child

    def _give_back(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
            if child.alive and len(self._idle) < self._warm:
                self._idle.append(child)
                return
        child.close()
