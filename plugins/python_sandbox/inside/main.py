"""The child's side: give up every right, wait for one order, carry it out, say how it went.

Nothing of the project is loaded but this folder and `verify.confine`, and all of it before the
order comes: afterwards the process belongs to the program. What it reports is the program's
word, not proof.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

from reasoner.plugins.python_sandbox.inside import blocks, program
from reasoner.plugins.python_sandbox.inside.account import READY, flush
from reasoner.verify.confine import confine

__all__ = ["main"]

MAX_FILE = 16 << 20
MAX_DESCRIPTORS = 64


def main() -> None:
    """Confine ourselves as `argv[1]` (JSON) says, then run what comes through stdin until EOF."""
    terms = json.loads(sys.argv.pop(1))
    _limit(terms)
    _die_with_parent()
    _close_others({0, 1, 2, terms["report"]})
    if terms["confine"]:  # a failure in here raises, and no program ever runs
        confine(terms["confine"], terms["read"], terms["write"])
    order = _order()
    os.write(terms["report"], READY)
    _become_stdin(order["stdin"])
    sys.argv = ["program.py"]
    if order["earlier"] is None:
        told = program.run(order["code"])
    else:
        told = blocks.run(order["earlier"], order["code"])
    flush()
    os.write(terms["report"], json.dumps(told).encode())
    if told["stage"] != "ran":
        os._exit(1)


def _limit(terms: dict[str, Any]) -> None:
    import resource

    seconds = int(terms["seconds"]) + 1
    limits = {
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_FSIZE": (MAX_FILE, MAX_FILE),
        "RLIMIT_NOFILE": (MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        "RLIMIT_CORE": (0, 0),
    }
    if sys.platform != "darwin":  # there it is not enforced; the parent watches the size
        limits["RLIMIT_AS"] = (terms["memory"], terms["memory"])
    for name, values in limits.items():
        resource.setrlimit(getattr(resource, name), values)


def _die_with_parent() -> None:
    """However our parent ends, we end; before this, the end of stdin tells us."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def _close_others(keep: set[int]) -> None:
    for descriptor in range(3, 256):
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                continue


def _order() -> dict[str, Any]:
    """What to run: `code`, `stdin`, and `earlier` (None for a program)."""
    parts = []
    while part := os.read(0, 1 << 16):
        parts.append(part)
    if not parts:
        os._exit(0)  # nobody wants us any more
    order: dict[str, Any] = json.loads(b"".join(parts))
    return order


def _become_stdin(text: str) -> None:
    """Make `text` the standard input: a nameless file, or nothing at all."""
    source = os.open(os.devnull, os.O_RDONLY)
    if text:
        os.close(source)
        source = os.open("stdin", os.O_RDWR | os.O_CREAT)
        os.unlink("stdin")
        with os.fdopen(os.dup(source), "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        os.lseek(source, 0, os.SEEK_SET)
    os.dup2(source, 0)
    os.close(source)
