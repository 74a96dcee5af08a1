"""Worker processes that answer JSON requests over a pipe and are killed when they exceed a limit.

Code that parses hostile text runs in such a process. A worker has a session and process group of
its own, inherits no descriptors, gets a minimal environment, and limits its memory before it
imports anything. The parent measures the time: a worker that exceeds its limit is killed, and the
next request starts a new one. `reasoner.sandbox.worker_main` is the worker's side of the pipe.
"""

import contextlib
import importlib.util
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
from itertools import accumulate

from pydantic import JsonValue

__all__ = [
    "WorkerDied",
    "WorkerFailed",
    "WorkerPool",
    "WorkerProcess",
    "minimal_environment",
    "python_command",
]

MAX_REPLY_BYTES = 4 << 20
_PROJECT = __name__.partition(".")[0]
_LENGTH = struct.Struct(">I")
_BOOT = (
    "import json,sys,types,importlib\n"
    "path,parents,module,memory=json.loads(sys.argv.pop(1))\n"
    "import resource\n"
    "if memory and sys.platform!='darwin':\n"
    " resource.setrlimit(resource.RLIMIT_AS,(memory,memory))\n"
    "resource.setrlimit(resource.RLIMIT_CORE,(0,0))\n"
    "sys.path[:]=path\n"
    "for name,folders in parents:\n"
    " package=sys.modules[name]=types.ModuleType(name)\n"
    " package.__path__=folders\n"
    "importlib.import_module(module).main()\n"
)


class WorkerFailed(Exception):
    """A worker exceeded its time, ran out of memory, or died; the message says which."""


class WorkerDied(WorkerFailed):
    """A worker had ended before the request, or ended during it within its time limit."""


def python_command(
    module: str, memory: int = 0, path: Sequence[str] | None = None, arguments: Sequence[str] = ()
) -> list[str]:
    """Return a command that runs `module.main()` in a new isolated interpreter.

    The packages above the module, and `reasoner`, are replaced by empty ones that only know their
    folders, so that their `__init__` is not run; this also makes them importable where `path`
    does not lead to them. `memory` limits the address space in bytes (0: no limit), `path`
    replaces the import path, `arguments` become `sys.argv[1:]`. Raises ModuleNotFoundError when a
    package above the module does not exist.
    """
    path = [entry for entry in sys.path if entry] if path is None else list(path)
    boot = json.dumps([path, _parent_folders(module), module, memory])
    return [sys.executable, "-I", "-S", "-B", "-c", _BOOT, boot, *arguments]


def _parent_folders(module: str) -> list[tuple[str, list[str]]]:
    """Return the packages above `module`, and ours, each with the folders of its submodules."""
    parents = accumulate(module.split(".")[:-1], "{}.{}".format)
    folders = []
    for name in dict.fromkeys([_PROJECT, *parents]):
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"no package named {name}", name=name)
        folders.append((name, list(spec.submodule_search_locations)))
    return folders


def minimal_environment(home: str = "/nonexistent") -> dict[str, str]:
    """Return a minimal environment: nothing inherited, one thread, no compiled number libraries."""
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


class WorkerProcess:
    """One worker process that runs `module.main()`; used by one thread at a time.

    `memory` limits its address space in bytes. Raises OSError when it cannot be started.
    """

    def __init__(self, module: str, memory: int) -> None:
        self._process = subprocess.Popen(
            python_command(module, memory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=minimal_environment(),
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
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, request: dict[str, JsonValue], seconds: float) -> dict[str, JsonValue]:
        """Send a request and return its reply, after at most `seconds` of wall time.

        Raises WorkerDied when the worker ends by itself, and WorkerFailed when it exceeds the time
        limit or sends an invalid reply; in both cases the worker is killed.
        """
        deadline = time.monotonic() + seconds
        body = json.dumps(request | {"seconds": seconds}).encode()
        try:
            self._write(_LENGTH.pack(len(body)) + body, deadline)
            (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
            if length > MAX_REPLY_BYTES:
                raise WorkerFailed("its reply was too long")
            reply = json.loads(self._read(length, deadline))
            if not isinstance(reply, dict):
                raise WorkerFailed("its reply was not an object")
            return reply
        except (OSError, ValueError, RecursionError) as error:
            self.close()
            raise WorkerDied(f"the worker died ({self._process.returncode}): {error}") from error
        except WorkerFailed:
            self.close()
            raise

    def close(self) -> None:
        """Kill the worker's process group and wait for it to end."""
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

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(deadline, write=True)
            view = view[os.write(self._in, view) :]

    def _read(self, count: int, deadline: float) -> bytes:
        pieces: list[bytes] = []
        while count:
            self._wait(deadline, write=False)
            piece = os.read(self._out, min(count, 1 << 16))
            if not piece:
                self._process.wait()
                raise _death_error(self._process.returncode)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _wait(self, deadline: float, write: bool) -> None:
        remaining_seconds = deadline - time.monotonic()
        poll = select.poll()
        poll.register(self._in if write else self._out, select.POLLOUT if write else select.POLLIN)
        if remaining_seconds <= 0 or not poll.poll(remaining_seconds * 1000):
            raise WorkerFailed("it took longer than the time limit")


def _death_error(code: int | None) -> WorkerFailed:
    if code == -signal.SIGPROF:
        return WorkerFailed("it took longer than the time limit")
    return WorkerDied(f"the worker died (exit {code}), most likely out of memory")


class WorkerPool:
    """Workers of one kind, started on demand, reused, and shared by any number of threads.

    At most `max_workers` work at the same time; at most `max_idle` are kept when idle.
    """

    def __init__(self, module: str, memory: int, max_workers: int = 4, max_idle: int = 2) -> None:
        self._module, self._memory, self._max_idle = module, memory, max_idle
        self._slots = threading.BoundedSemaphore(max_workers)
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()

    def ask(self, request: dict[str, JsonValue], seconds: float) -> dict[str, JsonValue]:
        """Send a request to a free worker and return its reply.

        `seconds` includes the time spent waiting for one. Raises WorkerFailed as
        `WorkerProcess.ask` does, and when every worker stays busy.
        """
        deadline = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise WorkerFailed("every worker was busy")
        try:
            return self._ask_worker(request, deadline, self._take())
        finally:
            self._slots.release()

    def _ask_worker(
        self,
        request: dict[str, JsonValue],
        deadline: float,
        worker: WorkerProcess,
        retry: bool = True,
    ) -> dict[str, JsonValue]:
        """Ask a worker; one that died, perhaps while it was idle, is replaced once."""
        try:
            return worker.ask(request, max(0.01, deadline - time.monotonic()))
        except WorkerDied:
            if not retry:
                raise
        finally:
            self._give_back(worker)
        return self._ask_worker(request, deadline, self._take(), retry=False)

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that are alive."""
        with self._lock:
            return tuple(worker.pid for worker in [*self._idle, *self._busy] if worker.alive)

    def close(self) -> None:
        """Kill every worker; a request in progress fails."""
        with self._lock:
            idle, self._idle = self._idle, []
            for worker in self._busy:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
        for worker in idle:
            worker.close()

    def _take(self) -> WorkerProcess:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    break
                worker.close()
            else:
                worker = WorkerProcess(self._module, self._memory)
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.alive and len(self._idle) < self._max_idle:
                self._idle.append(worker)
                return
        worker.close()
