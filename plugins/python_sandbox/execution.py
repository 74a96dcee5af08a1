"""Running Python in a given sandbox layer, and the record of how the run went."""

import errno
import signal
import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from python_sandbox.jail import ProcessResult, RunRequest, SandboxProcess
from python_sandbox.layers import Layer

__all__ = [
    "MAX_MEMORY_BYTES",
    "ProgramRun",
    "RunOutcome",
    "run_in_jail",
    "run_in_layer",
    "run_in_new_jail",
    "run_record",
]

MAX_MEMORY_BYTES = 1 << 30
"""Bytes of address space that a program may use."""
_DISK_ERRORS = (f"[Errno {errno.ENOSPC}]", f"[Errno {errno.EFBIG}]")
MAX_LINTS = 20
MAX_COUNT = 1_000_000
MAX_ERROR_CHARACTERS = 300
MAX_KIND_CHARACTERS = 60
RunOutcome = Literal[
    "ok", "error", "syntax", "timeout", "memory", "output", "disk", "exit", "signal", "refused"
]


class ProgramRun(BaseModel):
    """How the run of a program went.

    `outcome`: `ok` ran to its end; `error` raised (`error` is the traceback's last line, `kind`
    the exception's name); `syntax` is not Python; `timeout`, `memory`, `output` and `disk`
    exceeded a limit; `exit` ended the interpreter early; `signal` crashed it; `refused` was not
    run, because no layer is strong enough or the layer did not start. `stdout` and `stderr` are
    shortened and free of control characters. `seconds` is wall time. `asserts` counts assertions
    that held, `tried` and `failed` doctest examples, all as the program's own process reports
    them. `lints` are the findings of linting the program before it ran. `is_busy` is set when a
    program that did not end in time computed for most of it. `note` names what the layer does not
    protect, if it is more than that process.
    """

    model_config = ConfigDict(frozen=True)

    outcome: RunOutcome
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    layer: str = ""
    note: str = ""
    error: str | None = None
    kind: str | None = None
    asserts: int = 0
    tried: int = 0
    failed: int = 0
    lints: tuple[str, ...] = ()
    is_busy: bool = False


def run_in_layer(layer: Layer, code: str, *, stdin: str, seconds: float, memory: int) -> ProgramRun:
    """Run a program in the given layer, however weak it is, in a jail started for it.

    `seconds` limits the wall time, `memory` the address space in bytes.
    """
    return run_in_new_jail(layer, RunRequest(code, stdin=stdin), seconds, memory)


def run_in_new_jail(layer: Layer, order: RunRequest, seconds: float, memory: int) -> ProgramRun:
    """Start a jail and carry out an order in it; a jail that does not start gives `refused`."""
    start = time.monotonic()
    try:
        jail = SandboxProcess(layer, memory, seconds)
    except OSError as error:
        return ProgramRun(outcome="refused", layer=layer.name, error=str(error))
    ending = jail.run(order, seconds)
    return run_record(layer, ending, time.monotonic() - start)


def run_in_jail(jail: SandboxProcess, order: RunRequest, seconds: float) -> ProgramRun | None:
    """Carry out an order in a jail that waits; None when the jail broke before it began."""
    start = time.monotonic()
    ending = jail.run(order, seconds)
    return run_record(jail.layer, ending, time.monotonic() - start) if ending.started else None


def run_record(layer: Layer, ending: ProcessResult, seconds: float) -> ProgramRun:
    """Return the record of a run that ended in this way after `seconds` of wall time."""
    report = ending.report or {}
    stderr = _printable(ending.stderr)
    error = report.get("error")
    if not ending.started:
        reason = "it took too long" if ending.exceeded_limit == "timeout" else "it said nothing"
        error = f"the sandbox did not start: {(stderr.strip().splitlines() or [reason])[-1]}"
    return ProgramRun(
        outcome=_outcome(ending),
        stdout=_printable(ending.stdout),
        stderr=stderr,
        exit_code=ending.exit_code,
        seconds=seconds,
        layer=layer.name,
        note=layer.note,
        error=_short_text(error, MAX_ERROR_CHARACTERS),
        kind=_short_text(report.get("kind"), MAX_KIND_CHARACTERS),
        asserts=_count(report.get("asserts")),
        tried=_count(report.get("tried")),
        failed=_count(report.get("failed")),
        lints=_lines(report.get("lints")),
        is_busy=ending.is_busy,
    )


def _outcome(ending: ProcessResult) -> RunOutcome:
    report, exit_code = ending.report or {}, ending.exit_code
    if not ending.started:
        return "refused"
    if ending.exceeded_limit is not None:
        return ending.exceeded_limit
    if exit_code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return "timeout"
    if report.get("kind") == "MemoryError":
        return "memory"
    if any(text in str(report.get("error")) for text in _DISK_ERRORS):
        return "disk"
    if exit_code < 0 or exit_code > 128:
        return "signal"
    stage = str(report.get("stage"))
    failed_stages: dict[str, RunOutcome] = {"syntax": "syntax", "error": "error"}
    if stage in failed_stages:
        return failed_stages[stage]
    return "ok" if exit_code == 0 and stage == "ran" else "exit"


def _printable(data: bytes) -> str:
    """Decode without control characters, so that no escape sequence reaches a terminal."""
    text = data.decode("utf-8", "replace")
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _short_text(value: JsonValue, max_characters: int) -> str | None:
    if not value:
        return None
    return _printable(str(value).encode("utf-8", "replace"))[:max_characters]


def _lines(value: object) -> tuple[str, ...]:
    lines = value[:MAX_LINTS] if isinstance(value, list) else []
    return tuple(_short_text(line, MAX_ERROR_CHARACTERS) or "" for line in lines)


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < MAX_COUNT else 0
