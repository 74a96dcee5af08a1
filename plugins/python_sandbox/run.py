"""Running Python in a sandbox, and how it went."""

import signal
import time
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasoner.plugins.python_sandbox.jail import Ending, Jail, Order
from reasoner.plugins.python_sandbox.layers import Layer

__all__ = ["MEMORY", "SECONDS", "Run", "run_in", "run_python", "run_with_earlier"]

SECONDS = 10.0
MEMORY = 1 << 30
Ended = Literal[
    "ok", "error", "syntax", "timeout", "memory", "output", "disk", "exit", "signal", "refused"
]


class Run(BaseModel):
    """How a program went.

    `outcome`: `ok` ran to its end; `error` raised (`error` is its last line, `kind` the
    exception's name); `syntax` is no Python; `timeout`, `memory`, `output` and `disk` went over
    a limit; `exit` left without finishing; `signal` crashed; `refused` was never run, because no
    layer is strong enough or the layer did not start. stdout and stderr are cut and free of
    control characters. `asserts` counts assertions that held, `tried` and `failed` doctest
    examples, by the program's own account. `note` says what the layer is
    open to, if anything outside.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Ended
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


def run_python(
    code: str, *, stdin: str = "", seconds: float = SECONDS, memory: int = MEMORY
) -> Run:
    """Run `code` as a program in the strongest layer there is.

    `seconds` is the program's wall time, `memory` bytes of address space. The program sees the
    standard library and what is installed beside it, an empty directory to write in, and nothing
    else.
    """
    return _in_strongest(Order(code, stdin=stdin), seconds, memory)


def run_with_earlier(code: str, earlier: Sequence[str], seconds: float) -> Run:
    """Run `code` as a notebook's cell, after the `earlier` cells and unheard what they print."""
    return _in_strongest(Order(code, tuple(earlier)), seconds, MEMORY)


def run_in(layer: Layer, code: str, *, stdin: str, seconds: float, memory: int) -> Run:
    """Run a program in the given layer, whatever it is worth, and in a jail just started."""
    return _cold(layer, Order(code, stdin=stdin), seconds, memory)


def _in_strongest(order: Order, seconds: float, memory: int) -> Run:
    from reasoner.plugins.python_sandbox.pool import warm
    from reasoner.plugins.python_sandbox.probe import UNSAFE, chosen

    layer = chosen().layer
    if layer is None:
        return Run(outcome="refused", error=f"{chosen().detail}; {UNSAFE} runs it without one")
    began = time.monotonic()
    if (jail := warm(layer, memory, seconds)) is not None:
        ending = jail.run(order, seconds)
        if ending.ready:
            return _told(layer, ending, time.monotonic() - began)
    return _cold(layer, order, seconds, memory)


def _cold(layer: Layer, order: Order, seconds: float, memory: int) -> Run:
    began = time.monotonic()
    try:
        jail = Jail(layer, memory, seconds)
    except OSError as error:
        return Run(outcome="refused", layer=layer.name, error=str(error))
    ending = jail.run(order, seconds)
    return _told(layer, ending, time.monotonic() - began)


def _told(layer: Layer, ending: Ending, seconds: float) -> Run:
    said = ending.said or {}
    stderr = _printable(ending.stderr)
    error = said.get("error")
    if not ending.ready:
        late = "it took too long" if ending.over == "timeout" else "it said nothing"
        error = f"the sandbox did not start: {(stderr.strip().splitlines() or [late])[-1]}"
    return Run(
        outcome=_outcome(ending),
        stdout=_printable(ending.stdout),
        stderr=stderr,
        exit_code=ending.exit_code,
        seconds=seconds,
        layer=layer.name,
        note=layer.note,
        error=_printable(str(error).encode("utf-8", "replace"))[:300] if error else None,
        kind=_printable(str(said["kind"]).encode("utf-8", "replace"))[:60]
        if said.get("kind")
        else None,
        asserts=_count(said.get("asserts")),
        tried=_count(said.get("tried")),
        failed=_count(said.get("failed")),
    )


def _outcome(ending: Ending) -> Ended:
    said, code = ending.said or {}, ending.exit_code
    if not ending.ready:
        return "refused"
    if ending.over is not None:
        return ending.over
    if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return "timeout"
    if said.get("kind") == "MemoryError":
        return "memory"
    if code < 0 or code > 128:
        return "signal"
    stage = str(said.get("stage"))
    stages: dict[str, Ended] = {"syntax": "syntax", "error": "error"}
    if stage in stages:
        return stages[stage]
    return "ok" if code == 0 and stage == "ran" else "exit"


def _printable(data: bytes) -> str:
    """Text without control characters: no terminal escape of a program's reaches a terminal."""
    text = data.decode("utf-8", "replace")
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1_000_000 else 0
