"""The parent's side of a jail: starting it, sending it one order, limiting its time, ending it.

The result holds the program's output and the report of the child process. Neither proves anything
about a hostile program.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO

from pydantic import JsonValue

from python_sandbox import folder
from python_sandbox.inside.account import START_SIGNAL
from python_sandbox.layers import Layer
from python_sandbox.watch import MAX_DISK_BYTES, MAX_FILES, ExceededLimit, OutputCollector
from reasoner.sandbox.confinement.trees import readable_trees, sandbox_import_path
from reasoner.sandbox.worker_process import minimal_environment, python_command

__all__ = ["ProcessResult", "RunRequest", "SandboxProcess", "await_endings"]

MAX_FILE_BYTES = 16 << 20
MAX_END_SECONDS = 5.0
"""Time that `await_endings` waits for one jail."""
_lock = threading.Lock()
_endings: list[threading.Thread] = []


@dataclass(frozen=True)
class RunRequest:
    """The code a jail is to run: a program, or, with `earlier`, one more block after those.

    With `channel` the standard streams of the jail are a connection to another one; with `lint` the
    program is linted before it runs.
    """

    code: str
    earlier: tuple[str, ...] | None = None
    stdin: str = ""
    channel: bool = False
    lint: bool = False

    def encoded(self) -> bytes:
        """Return the order as the jail reads it."""
        body = json.dumps(asdict(self)).encode()
        return b"%d\n" % len(body) + body


@dataclass(frozen=True)
class ProcessResult:
    """How a jail ended.

    `exceeded_limit` is the limit that was exceeded. `report` is the child's report on the program,
    None without one. `started` is set when the child was confined and had received its order;
    otherwise no code was run. `is_busy` is set when a process that did not end in time computed for
    most of it.
    """

    exit_code: int
    exceeded_limit: ExceededLimit | None
    stdout: bytes
    stderr: bytes
    started: bool
    report: dict[str, JsonValue] | None
    is_busy: bool = False


class SandboxProcess:
    """A confined interpreter process that waits for one order.

    `seconds` limits its CPU time even when this process ends, `memory` its address space in
    bytes. Raises OSError when it cannot be started.
    """

    def __init__(self, layer: Layer, memory: int, seconds: float) -> None:
        self.layer, self.memory, self.seconds = layer, memory, seconds
        self._box = folder.create_temporary_folder()
        self._report, report_sink = os.pipe()
        try:
            self._process = self._start(report_sink)
        except OSError:
            os.close(self._report)
            folder.remove_folder(self._box)
            raise
        finally:
            os.close(report_sink)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def box(self) -> str:
        """The directory that the program can write to."""
        return self._box

    @property
    def sink(self) -> IO[bytes]:
        """The pipe that leads to the jail."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def sources(self) -> dict[str, IO[bytes] | int]:
        """The pipes that come from the jail: its output, errors and report."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return {"out": self._process.stdout, "err": self._process.stderr, "say": self._report}

    def run(self, order: RunRequest, seconds: float) -> ProcessResult:
        """Run `order` for at most `seconds` of wall time, then end the jail."""
        watch = OutputCollector(self._box, self.pid, self.memory)
        try:
            watch.collect_output(order.encoded(), self.sink, self.sources, seconds)
        except BaseException:
            self.close()
            raise
        report = bytes(watch.streams["say"]).removeprefix(START_SIGNAL)
        is_complete = watch.exceeded_limit is None and _parsed_report(report) is not None
        self.close(at_once=not is_complete)
        return self.result(watch.streams, watch.exceeded_limit, watch.is_busy)

    def result(
        self,
        streams: Mapping[str, bytes | bytearray],
        exceeded_limit: ExceededLimit | None,
        is_busy: bool = False,
    ) -> ProcessResult:
        """Return how the jail ended, from what came out of it; it must be closed."""
        out, err, say = (bytes(streams[name]) for name in ("out", "err", "say"))
        report = _parsed_report(say.removeprefix(START_SIGNAL))
        started = say.startswith(START_SIGNAL)
        code = self._process.returncode
        if code is None:  # it has reported, and its end is awaited elsewhere
            code = 0 if report and report.get("stage") == "ran" else 1
        return ProcessResult(code, exceeded_limit, out, err, started, report, is_busy)

    def kill(self) -> None:
        """Kill the process group."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()

    def close(self, *, at_once: bool = True) -> None:
        """Kill the process group and remove the jail's directory.

        The kernel takes some milliseconds to end a process with a file system of its own; without
        `at_once` another thread waits for that.
        """
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        os.close(self._report)
        if at_once:
            self._finish()
        else:
            ending = threading.Thread(target=self._finish, name="reasoner-jail-end", daemon=True)
            with _lock:
                _endings[:] = [other for other in _endings if other.is_alive()] + [ending]
                ending.start()

    def _finish(self) -> None:
        self._process.wait()
        folder.remove_folder(self._box)

    def _start(self, report_sink: int) -> subprocess.Popen[bytes]:
        terms = {
            "report": report_sink,
            "seconds": self.seconds,
            "memory": self.memory,
            "confine": self.layer.confine,
            "read": readable_trees(),
            "write": [self._box, os.devnull],
            "has_namespace": self.layer.outer == "bwrap",
            "disk": MAX_DISK_BYTES,
            "files": MAX_FILES,
            "file_size": MAX_FILE_BYTES,
        }
        module = f"{__package__}.inside.main"
        inner = python_command(module, 0, sandbox_import_path(), [json.dumps(terms)])
        return subprocess.Popen(
            self.layer.command(inner, self._box),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(report_sink,),
            env=minimal_environment(self._box),
            cwd=self._box,
            start_new_session=True,
        )


def await_endings() -> None:
    """Wait until the jails that were closed have ended."""
    with _lock:
        endings = _endings[:]
    for ending in endings:
        ending.join(MAX_END_SECONDS)


def _parsed_report(data: bytes) -> dict[str, JsonValue] | None:
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None
