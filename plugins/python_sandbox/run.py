"""Running Python in the strongest sandbox layer that works on this machine."""

from collections.abc import Sequence

from python_sandbox.execution import (
    MAX_MEMORY_BYTES,
    ProgramRun,
    run_in_jail,
    run_in_new_jail,
)
from python_sandbox.jail import RunRequest
from python_sandbox.pool import take_warm_process
from python_sandbox.probe import UNSAFE_EXEC_FLAG, choose_layer

__all__ = ["DEFAULT_SECONDS", "run_notebook_cell", "run_python"]

DEFAULT_SECONDS = 10.0
"""Wall time of a program for which no limit is given."""


def run_python(
    code: str, *, stdin: str = "", seconds: float = DEFAULT_SECONDS, memory: int = MAX_MEMORY_BYTES
) -> ProgramRun:
    """Run `code` as a program.

    `seconds` limits the program's wall time, `memory` its address space in bytes. The program can
    read the standard library and the packages installed beside it, and it can write to one empty
    directory; it reaches nothing else.
    """
    return _run_in_strongest(RunRequest(code, stdin=stdin), seconds, memory)


def run_notebook_cell(code: str, earlier: Sequence[str], seconds: float) -> ProgramRun:
    """Run `code` as a notebook's cell, after the `earlier` cells, whose output is discarded."""
    return _run_in_strongest(RunRequest(code, tuple(earlier)), seconds, MAX_MEMORY_BYTES)


def _run_in_strongest(order: RunRequest, seconds: float, memory: int) -> ProgramRun:
    choice = choose_layer()
    layer = choice.layer
    if layer is None:
        return ProgramRun(
            outcome="refused", error=f"{choice.detail}; {UNSAFE_EXEC_FLAG} runs it without one"
        )
    jail = take_warm_process(layer, memory, seconds)
    run = run_in_jail(jail, order, seconds) if jail is not None else None
    return run or run_in_new_jail(layer, order, seconds, memory)
