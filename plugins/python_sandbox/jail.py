"""The parent's side of a jail: starting it, sending it one order, limiting its time, ending it.

The result holds the program's output and the report of the child process. Neither proves anything
about a hostile program.
"""

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from typing import IO

from pydantic import JsonValue

from python_sandbox import folder
from python_sandbox.inside.account import START_SIGNAL
from python_sandbox.layers import Layer
from python_sandbox.watch import ExceededLimit, OutputCollector
from reasoner.sandbox.confinement.trees import readable_trees, sandbox_import_path
from reasoner.sandbox.worker_process import minimal_environment, python_command

__all__ = ["ProcessResult", "RunRequest", "SandboxProcess"]


@dataclass(frozen=True)
class RunRequest:
    """The code a jail is to run: a program, or, with `earlier`, one more block after those."""

    code: str
    earlier: tuple[str, ...] | None = None
    stdin: str = ""


@dataclass(frozen=True)
class ProcessResult:
    """How a jail ended.

    `exceeded_limit` is the limit that was exceeded. `report` is the child's report on the program,
    None without one. `ready` is set when the child was confined and had received its order;
    otherwise no code was run.
    """

    exit_code: int
    exceeded_limit: ExceededLimit | None
    stdout: bytes
    stderr: bytes
    started: bool
    report: dict[str, JsonValue] | None


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

    def run(self, order: RunRequest, seconds: float) -> ProcessResult:
        """Run `order` for at most `seconds` of wall time, then end the jail."""
        watch = OutputCollector(self._box, self.pid, self.memory)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        sources: dict[str, IO[bytes] | int] = {
            "out": self._process.stdout,
            "err": self._process.stderr,
            "say": self._report,
        }
        try:
            watch.collect_output(
                json.dumps(asdict(order)).encode(), self._process.stdin, sources, seconds
            )
        finally:
            self.close()
        out, err, say = (bytes(watch.streams[name]) for name in sources)
        ready = say.startswith(START_SIGNAL)
        report = _parsed_report(say.removeprefix(START_SIGNAL))
        return ProcessResult(
            self._process.returncode, watch.exceeded_limit, out, err, ready, report
        )

    def close(self) -> None:
        """Kill the process group and remove the jail's directory."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        os.close(self._report)
        folder.remove_folder(self._box)

    def _start(self, report_sink: int) -> subprocess.Popen[bytes]:
        terms = {
            "report": report_sink,
            "seconds": self.seconds,
            "memory": self.memory,
            "confine": self.layer.confine,
            "read": readable_trees(),
            "write": [self._box, os.devnull],
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


def _parsed_report(data: bytes) -> dict[str, JsonValue] | None:
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None
