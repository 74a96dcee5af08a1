"""Running Python in the strongest sandbox layer that works on this machine."""

from collections.abc import Sequence

from reasoner.plugins.python_sandbox.execution import MEMORY, Run, run_in_jail, run_in_new_jail
from reasoner.plugins.python_sandbox.jail import Order
from reasoner.plugins.python_sandbox.pool import warm
from reasoner.plugins.python_sandbox.probe import UNSAFE, chosen

__all__ = ["SECONDS", "run_python", "run_with_earlier"]

SECONDS = 10.0
"""Wall time of a program for which no limit is given."""


def run_python(
    code: str, *, stdin: str = "", seconds: float = SECONDS, memory: int = MEMORY
) -> Run:
    """Run `code` as a program.

    `seconds` limits the program's wall time, `memory` its address space in bytes. The program can
    read the standard library and the packages installed beside it, and it can write to one empty
    directory; it reaches nothing else.
    """
    return _run_in_strongest(Order(code, stdin=stdin), seconds, memory)


def run_with_earlier(code: str, earlier: Sequence[str], seconds: float) -> Run:
    """Run `code` as a notebook's cell, after the `earlier` cells, whose output is discarded."""
    return _run_in_strongest(Order(code, tuple(earlier)), seconds, MEMORY)


def _run_in_strongest(order: Order, seconds: float, memory: int) -> Run:
    choice = chosen()
    layer = choice.layer
    if layer is None:
        return Run(outcome="refused", error=f"{choice.detail}; {UNSAFE} runs it without one")
    jail = warm(layer, memory, seconds)
    run = run_in_jail(jail, order, seconds) if jail is not None else None
    return run or run_in_new_jail(layer, order, seconds, memory)
