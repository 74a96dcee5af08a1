"""Running Python in the strongest sandbox layer that works on this machine."""

from collections.abc import Sequence
from typing import NamedTuple

from python_sandbox import pool
from python_sandbox.execution import (
    MAX_MEMORY_BYTES,
    ProgramRun,
    run_in_jail,
    run_in_new_jail,
    run_record,
)
from python_sandbox.jail import RunRequest, SandboxProcess
from python_sandbox.layers import Layer
from python_sandbox.probe import UNSAFE_EXEC_FLAG, choose_layer
from python_sandbox.relay import run_pair

__all__ = ["DEFAULT_SECONDS", "ConnectedRuns", "run_connected", "run_notebook_cell", "run_python"]

DEFAULT_SECONDS = 10.0
"""Wall time of a program for which no limit is given."""


class ConnectedRuns(NamedTuple):
    """The runs of two connected programs. The second is None when the first one did not need it;
    `is_busy` is set when it computed for most of its time."""

    first: ProgramRun
    second: ProgramRun | None
    is_busy: bool = False


def run_python(
    code: str,
    *,
    stdin: str = "",
    seconds: float = DEFAULT_SECONDS,
    memory: int = MAX_MEMORY_BYTES,
    lint: bool = False,
) -> ProgramRun:
    """Run `code` as a program.

    `seconds` limits the program's wall time, `memory` its address space in bytes. With `lint` the
    program is linted first. The program can
    read the standard library and the packages installed beside it, and it can write to one empty
    directory; it reaches nothing else.
    """
    return _run_in_strongest(RunRequest(code, stdin=stdin, lint=lint), seconds, memory)


def run_notebook_cell(code: str, earlier: Sequence[str], seconds: float) -> ProgramRun:
    """Run `code` as a notebook's cell, after the `earlier` cells, whose output is discarded."""
    return _run_in_strongest(RunRequest(code, tuple(earlier)), seconds, MAX_MEMORY_BYTES)


def run_connected(orders: tuple[RunRequest, RunRequest], seconds: float) -> ConnectedRuns:
    """Run two programs in two jails, connected by their channels, until the first one ends."""
    layer = choose_layer().layer
    if layer is None:
        refusal = _refusal()
        return ConnectedRuns(refusal, refusal)
    runs = _run_pair(layer, orders, seconds)
    if any(run is not None and run.outcome == "refused" for run in runs[:2]):  # a warm jail died
        pool.close()
        runs = _run_pair(layer, orders, seconds)
    return runs


def _run_pair(layer: Layer, orders: tuple[RunRequest, RunRequest], seconds: float) -> ConnectedRuns:
    jails: list[SandboxProcess] = []
    try:
        for _ in orders:
            warm = pool.take_warm_process(layer, MAX_MEMORY_BYTES, seconds)
            jails.append(warm or SandboxProcess(layer, MAX_MEMORY_BYTES, seconds))
    except OSError as error:
        for jail in jails:
            jail.close()
        refusal = ProgramRun(outcome="refused", layer=layer.name, error=str(error))
        return ConnectedRuns(refusal, refusal)
    pair = run_pair((jails[0], jails[1]), orders, seconds)
    first = run_record(layer, pair.tests, pair.seconds)
    if pair.program is None:
        pool.give_back_process(jails[1])
        return ConnectedRuns(first, None)
    return ConnectedRuns(first, run_record(layer, pair.program, pair.seconds), pair.is_busy)


def _refusal() -> ProgramRun:
    detail = f"{choose_layer().detail}; {UNSAFE_EXEC_FLAG} runs it without one"
    return ProgramRun(outcome="refused", error=detail)


def _run_in_strongest(order: RunRequest, seconds: float, memory: int) -> ProgramRun:
    layer = choose_layer().layer
    if layer is None:
        return _refusal()
    jail = pool.take_warm_process(layer, memory, seconds)
    run = run_in_jail(jail, order, seconds) if jail is not None else None
    return run or run_in_new_jail(layer, order, seconds, memory)
