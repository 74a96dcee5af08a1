"""Running a Python program in a sandbox, from the outside: the clock, the pipes, the kill.

Only inputs go in. What comes back is what the program printed and what the child says about it;
neither proves anything about a hostile program.
"""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasoner.plugins.python_sandbox.layers import Layer
from reasoner.verify.child import bare_environment, python_command
from reasoner.verify.confine.trees import import_path, readable

__all__ = ["MEMORY", "SECONDS", "Run", "run_in", "run_python"]

SECONDS = 10.0
MEMORY = 1 << 30
MAX_OUTPUT = 1 << 20
KEEP = 64 << 10
MAX_DISK = 64 << 20
MAX_FILES = 2000
WATCH = 0.1
Ended = Literal[
    "ok", "error", "syntax", "timeout", "memory", "output", "disk", "exit", "signal", "refused"
]


class Run(BaseModel):
    """How a program went.

    `outcome`: `ok` ran to its end; `error` raised (`error` is its last line, `kind` the
    exception's name); `syntax` is no Python; `timeout`, `memory`, `output` and `disk` went over
    a limit; `exit` left without finishing; `signal` crashed; `refused` was never run, because no
    layer is strong enough. stdout and stderr are cut and free of control characters. `asserts`
    counts assertions that held, `tried` and `failed` doctest examples, by the program's own
    account.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Ended
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    layer: str = ""
    error: str | None = None
    kind: str | None = None
    asserts: int = 0
    tried: int = 0
    failed: int = 0


def run_python(
    code: str, *, stdin: str = "", seconds: float = SECONDS, memory: int = MEMORY
) -> Run:
    """Run `code` as a program in the strongest layer there is.

    `seconds` is wall time, `memory` bytes of address space. The program sees the standard
    library and what is installed beside it, an empty directory to write in, and nothing else.
    """
    from reasoner.plugins.python_sandbox.probe import chosen

    layer = chosen().layer
    if layer is None:
        return Run(outcome="refused", error=chosen().detail)
    return run_in(layer, code, stdin=stdin, seconds=seconds, memory=memory)


def run_in(layer: Layer, code: str, *, stdin: str, seconds: float, memory: int) -> Run:
    """Run in the given layer, whatever it is worth."""
    work = tempfile.mkdtemp(prefix="reasoner-run-")
    try:
        box = os.path.join(work, "box")
        os.mkdir(box)
        program = os.path.join(work, "program.py")
        Path(program).write_text(code, "utf-8", "replace", newline="\n")
        Path(work, "stdin").write_text(stdin, "utf-8", "replace", newline="\n")
        return _Session(layer, work, box, program, seconds, memory).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if os.path.exists(work):  # nested too deeply for Python
            subprocess.run(["rm", "-rf", work], check=False, stderr=subprocess.DEVNULL)


class _Session:
    def __init__(
        self, layer: Layer, work: str, box: str, program: str, seconds: float, memory: int
    ) -> None:
        self.layer, self.work, self.box, self.program = layer, work, box, program
        self.seconds, self.memory = seconds, memory
        self.kept: dict[str, bytearray] = {
            "out": bytearray(),
            "err": bytearray(),
            "say": bytearray(),
        }
        self.seen = 0
        self.over: Ended | None = None

    def run(self) -> Run:
        began = time.monotonic()
        report, reply = os.pipe()
        try:
            process = self._start(reply)
        except OSError as error:
            os.close(report)
            return Run(outcome="refused", layer=self.layer.name, error=str(error))
        finally:
            os.close(reply)
        try:
            self._watch(process, report, began + self.seconds)
        finally:
            _kill(process)
            os.close(report)
        return self._told(process.returncode, time.monotonic() - began)

    def _start(self, reply: int) -> subprocess.Popen[bytes]:
        order = {
            "program": self.program,
            "report": reply,
            "seconds": self.seconds,
            "memory": self.memory,
            "confine": self.layer.confine,
            "read": [*readable(), self.program],
            "write": [self.box],
        }
        module = "reasoner.plugins.python_sandbox.jail"
        inner = python_command(module, 0, import_path(), [json.dumps(order)])
        with open(os.path.join(self.work, "stdin"), "rb") as stdin:
            return subprocess.Popen(
                self.layer.command(inner, self.box, self.program),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reply,),
                env=bare_environment(self.box),
                cwd=self.box,
                start_new_session=True,
            )

    def _watch(self, process: subprocess.Popen[bytes], report: int, end: float) -> None:
        """Read until every pipe closes, or until something goes over its limit."""
        assert process.stdout is not None
        assert process.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, "out")
            selector.register(process.stderr, selectors.EVENT_READ, "err")
            selector.register(report, selectors.EVENT_READ, "say")
            looked = time.monotonic()
            while selector.get_map() and self.over is None:
                now = time.monotonic()
                if now >= end:
                    self.over = "timeout"
                    return
                for key, _ in selector.select(min(WATCH, end - now)):
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fileobj)
                    self._keep(str(key.data), data)
                if now - looked >= WATCH:
                    looked = now
                    self._look(process.pid)

    def _keep(self, stream: str, data: bytes) -> None:
        self.seen += len(data)
        if self.seen > MAX_OUTPUT:
            self.over = "output"
        kept = self.kept[stream]
        kept += data
        if len(kept) > 2 * KEEP:  # the beginning and the end are what people look at
            del kept[KEEP:-KEEP]

    def _look(self, pid: int) -> None:
        """What no limit of the kernel's covers: the directory's size, and memory on macOS."""
        if _too_much_disk(self.box):
            self.over = "disk"
        if sys.platform == "darwin" and _resident(pid) > self.memory:
            self.over = "memory"

    def _told(self, code: int, seconds: float) -> Run:
        try:
            said = json.loads(bytes(self.kept["say"]) or b"{}")
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        return Run(
            outcome=self._outcome(code, said),
            stdout=_printable(self.kept["out"]),
            stderr=_printable(self.kept["err"]),
            exit_code=code,
            seconds=seconds,
            layer=self.layer.name,
            error=str(said["error"])[:300] if said.get("error") else None,
            kind=str(said["kind"])[:60] if said.get("kind") else None,
            asserts=_count(said.get("asserts")),
            tried=_count(said.get("tried")),
            failed=_count(said.get("failed")),
        )

    def _outcome(self, code: int, said: dict[str, object]) -> Ended:
        if self.over is not None:
            return self.over
        if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            return "timeout"
        if said.get("kind") == "MemoryError":
            return "memory"
        if code < 0 or code > 128:
            return "signal"
        stages: dict[object, Ended] = {"syntax": "syntax", "error": "error"}
        if said.get("stage") in stages:
            return stages[said.get("stage")]
        return "ok" if code == 0 and said.get("stage") == "ran" else "exit"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole group, whatever is left of it, and close our ends."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _too_much_disk(box: str) -> bool:
    size = count = 0
    for folder, folders, files in os.walk(box):
        count += len(folders) + len(files)
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
        if size > MAX_DISK or count > MAX_FILES:
            return True
    return False


def _resident(pid: int) -> int:
    """Resident bytes of a process, by `ps`."""
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, check=False).stdout.strip()
    return int(told) * 1024 if told.isdigit() else 0


def _printable(data: bytearray) -> str:
    """Text without control characters: no terminal escape of a program's reaches a terminal."""
    text = data.decode("utf-8", "replace")
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1_000_000 else 0
