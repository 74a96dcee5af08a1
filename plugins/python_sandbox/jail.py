"""The host's side of a jail: start it, give it one order, hold the clock, end it.

What comes back is what the program printed and what the child says about it; neither proves
anything about a hostile program.
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
    """What a jail is to run: a program, or, with `earlier` blocks, one more block after them."""

    code: str
    earlier: tuple[str, ...] | None = None
    stdin: str = ""


@dataclass(frozen=True)
class Ending:
    """How a jail ended. `said` is the child's account of the program, None when it gave none;
    `ready` whether it was confined and had its order, without which nothing was run."""

    exit_code: int
    over: Over | None
    stdout: bytes
    stderr: bytes
    ready: bool
    said: dict[str, JsonValue] | None


class Jail:
    """A confined interpreter that waits for its one order.

    `seconds` bounds its CPU time, whatever happens to us; `memory` its address space in bytes.
    Raises OSError when it cannot be started.
    """

    def __init__(self, layer: Layer, memory: int, seconds: float) -> None:
        self.layer, self.memory, self.seconds = layer, memory, seconds
        self._box = folder.make()
        self._report, reply = os.pipe()
        try:
            self._process = self._start(reply)
        except OSError:
            os.close(self._report)
            folder.discard(self._box)
            raise
        finally:
            os.close(reply)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, order: Order, seconds: float) -> Ending:
        """Carry out `order` for at most `seconds` of wall time, then end the jail for good."""
        watch = Watch(self._box, self.pid, self.memory)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        heard: dict[str, IO[bytes] | int] = {
            "out": self._process.stdout,
            "err": self._process.stderr,
            "say": self._report,
        }
        try:
            watch.run(json.dumps(asdict(order)).encode(), self._process.stdin, heard, seconds)
        finally:
            self.close()
        out, err, say = (bytes(watch.kept[name]) for name in heard)
        ready = say.startswith(READY)
        said = _account(say.removeprefix(READY))
        return Ending(self._process.returncode, watch.over, out, err, ready, said)

    def close(self) -> None:
        """Kill the whole group, whatever is left of it, and leave nothing behind."""
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

    def _start(self, reply: int) -> subprocess.Popen[bytes]:
        terms = {
            "report": reply,
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
            pass_fds=(reply,),
            env=bare_environment(self._box),
            cwd=self._box,
            start_new_session=True,
        )


def _account(data: bytes) -> dict[str, JsonValue] | None:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
