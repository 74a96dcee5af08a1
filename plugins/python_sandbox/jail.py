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

from reasoner.plugins.python_sandbox import folder
from reasoner.plugins.python_sandbox.inside.account import READY
from reasoner.plugins.python_sandbox.layers import Layer
from reasoner.plugins.python_sandbox.watch import Over, Watch
from reasoner.verify.child import bare_environment, python_command
from reasoner.verify.confine.trees import import_path, readable

__all__ = ["Ending", "Jail", "Order"]


@dataclass(frozen=True)
class Order:
    """The code a jail is to run: a program, or, with `earlier`, one more block after those."""

    code: str
    earlier: tuple[str, ...] | None = None
    stdin: str = ""


@dataclass(frozen=True)
class Ending:
    """How a jail ended.

    `over` is the limit that was exceeded. `said` is the child's report on the program, None
    without one. `ready` is set when the child was confined and had received its order; otherwise
    no code was run.
    """

    exit_code: int
    over: Over | None
    stdout: bytes
    stderr: bytes
    ready: bool
    said: dict[str, JsonValue] | None


class Jail:
    """A confined interpreter process that waits for one order.

    `seconds` limits its CPU time even when this process ends, `memory` its address space in
    bytes. Raises OSError when it cannot be started.
    """

    def __init__(self, layer: Layer, memory: int, seconds: float) -> None:
        self.layer, self.memory, self.seconds = layer, memory, seconds
        self._box = folder.make()
        self._report, report_sink = os.pipe()
        try:
            self._process = self._start(report_sink)
        except OSError:
            os.close(self._report)
            folder.discard(self._box)
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

    def run(self, order: Order, seconds: float) -> Ending:
        """Run `order` for at most `seconds` of wall time, then end the jail."""
        watch = Watch(self._box, self.pid, self.memory)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        sources: dict[str, IO[bytes] | int] = {
            "out": self._process.stdout,
            "err": self._process.stderr,
            "say": self._report,
        }
        try:
            watch.run(json.dumps(asdict(order)).encode(), self._process.stdin, sources, seconds)
        finally:
            self.close()
        out, err, say = (bytes(watch.kept[name]) for name in sources)
        ready = say.startswith(READY)
        report = _parsed_report(say.removeprefix(READY))
        return Ending(self._process.returncode, watch.over, out, err, ready, report)

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
        folder.discard(self._box)

    def _start(self, report_sink: int) -> subprocess.Popen[bytes]:
        terms = {
            "report": report_sink,
            "seconds": self.seconds,
            "memory": self.memory,
            "confine": self.layer.confine,
            "read": readable(),
            "write": [self._box, os.devnull],
        }
        module = f"{__package__}.inside.main"
        inner = python_command(module, 0, import_path(), [json.dumps(terms)])
        return subprocess.Popen(
            self.layer.command(inner, self._box),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(report_sink,),
            env=bare_environment(self._box),
            cwd=self._box,
            start_new_session=True,
        )


def _parsed_report(data: bytes) -> dict[str, JsonValue] | None:
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None
