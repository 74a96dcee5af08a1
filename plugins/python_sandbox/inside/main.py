"""The child process of a jail: confine itself, wait for one order, run it, report the result.

Only this package and the confinement are imported from the project, before the order arrives. From
then on the program can change anything in the process, so the report is not trusted.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

from python_sandbox.inside import blocks, program
from python_sandbox.inside.account import START_SIGNAL, flush_output
from reasoner.sandbox.confinement import confine_process
from reasoner.sandbox.confinement.quota import mount_limited_folder

__all__ = ["main"]

MAX_DESCRIPTORS = 64


def main() -> None:
    """Confine this process as `argv[1]` (JSON) requires, then run the order read from stdin."""
    terms = json.loads(sys.argv.pop(1))
    folder, has_namespace = terms["write"][0], terms["has_namespace"]
    if terms["confine"] and not mount_limited_folder(
        folder, terms["disk"], terms["files"], has_namespace
    ):
        terms["file_size"] = terms["disk"] // MAX_DESCRIPTORS  # also for files that are unlinked
    _limit(terms)
    _die_with_parent()
    _close_others({0, 1, 2, terms["report"]})
    if terms["confine"]:  # raises when it fails, and then no program runs
        confine_process(terms["confine"], terms["read"], terms["write"])
    order = _order()
    os.write(terms["report"], START_SIGNAL)
    channel = _open_channel() if order["channel"] else ()
    _become_stdin(order["stdin"])
    sys.argv = ["program.py", *map(str, channel)]
    if order["earlier"] is None:
        report = program.run_program(order["code"], order["lint"])
    else:
        report = blocks.run_blocks(order["earlier"], order["code"])
    flush_output()
    os.write(terms["report"], json.dumps(report).encode())
    if report["stage"] != "ran":
        os._exit(1)


def _limit(terms: dict[str, Any]) -> None:
    import resource

    seconds = int(terms["seconds"]) + 1
    limits = {
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_FSIZE": (terms["file_size"], terms["file_size"]),
        "RLIMIT_NOFILE": (MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        "RLIMIT_CORE": (0, 0),
    }
    if sys.platform != "darwin":  # not enforced there; the parent checks the size
        limits["RLIMIT_AS"] = (terms["memory"], terms["memory"])
    for name, values in limits.items():
        resource.setrlimit(getattr(resource, name), values)


def _die_with_parent() -> None:
    """End with the parent process; before this call the end of stdin has the same effect."""
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
    """Read the order: its length on a line of its own, then `code`, `stdin`, `channel`, `lint`, and
    `earlier` (None for a program)."""
    head = b""
    while not head.endswith(b"\n"):
        if not (byte := os.read(0, 1)):
            os._exit(0)  # the parent ended or discarded the jail
        head += byte
    pieces, remaining = [], int(head)
    while remaining:
        if not (piece := os.read(0, min(remaining, 1 << 16))):
            os._exit(0)
        pieces.append(piece)
        remaining -= len(piece)
    order: dict[str, Any] = json.loads(b"".join(pieces))
    return order


def _open_channel() -> tuple[int, int]:
    """Keep both standard streams as a connection to another jail; the program gets none of them."""
    channel = os.dup(0), os.dup(1)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)
    return channel


def _become_stdin(text: str) -> None:
    """Make `text` the standard input, through an unlinked file."""
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
