"""Seccomp: an allow-list of system calls that a process applies to itself irrevocably.

It uses the standard library only. A call that is not on the list fails with EPERM; a call through
the table of another architecture kills the process.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

from reasoner.sandbox.confinement.syscalls import ALLOWED, NUMBERS

__all__ = ["SeccompError", "apply_seccomp"]

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_DENY = 0x00050000 | errno.EPERM
_MISSING = 0x00050000 | errno.ENOSYS
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1), "arm64": (0xC00000B7, 1)}
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITE_EXECUTE = 0x6
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)  # no F_SETOWN, F_SETSIG: they send signals
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, sizes, FIONBIO, FIOCLEX


class SeccompError(OSError):
    """The filter could not be installed, so untrusted code must not run."""


@dataclass(frozen=True)
class _Rule:
    """A call that is allowed when (argument & mask) == value, or != with `unless`.

    With `wide` the condition holds for both halves of the 64-bit argument.
    """

    call: str
    argument: int
    value: int
    mask: int = 0xFFFFFFFF
    unless: bool = False
    wide: bool = False


def apply_seccomp() -> None:
    """Install the filter on this process irrevocably.

    Raises SeccompError when there is no table for the machine or the kernel refuses the filter.
    """
    table = _ARCHITECTURES.get(platform.machine())
    if table is None:
        raise SeccompError(f"no system-call table for {platform.machine()}")
    program = _program(*table)
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    filters = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(program), ctypes.addressof(filters))
    buffer = ctypes.create_string_buffer(head, len(head))
    if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
        raise SeccompError(ctypes.get_errno(), "no_new_privs")
    libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no process may attach
    if libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(buffer)), 0, 0):  # PR_SET_SECCOMP
        raise SeccompError(ctypes.get_errno(), "seccomp")


def _rules() -> list[_Rule]:
    own_pid = os.getpid()
    return [
        _Rule("clone", 0, _CLONE_THREAD, mask=_CLONE_THREAD),
        _Rule("kill", 0, own_pid),
        _Rule("tgkill", 0, own_pid),
        _Rule("mmap", 2, _WRITE_EXECUTE, mask=_WRITE_EXECUTE, unless=True),
        _Rule("mprotect", 2, _WRITE_EXECUTE, mask=_WRITE_EXECUTE, unless=True),
        _Rule("prlimit64", 2, 0, wide=True),  # read limits, never set them
        _Rule("sendto", 4, 0, wide=True),  # no address: only on a connected pair
        _Rule("socketpair", 1, 1, mask=0xF),  # a stream pair, as event loops make
        *(_Rule("fcntl", 1, command) for command in _FCNTL),
        *(_Rule("ioctl", 1, command) for command in _IOCTL),
    ]


def _program(architecture: int, column: int) -> list[tuple[int, int, int, int]]:
    """Return the filter as instructions: code, jump if true, jump if false, constant."""
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        steps += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for name in ALLOWED:
        if (number := NUMBERS[name][column]) is not None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    clone3 = NUMBERS["clone3"][column] or 0
    steps += [(_EQUAL, 0, 1, clone3), (_RETURN, 0, 0, _MISSING)]  # libc falls back to clone
    for rule in _rules():
        if (number := NUMBERS[rule.call][column]) is not None:
            steps += _conditional(rule, number)
    return [*steps, (_RETURN, 0, 0, _DENY)]


def _conditional(rule: _Rule, number: int) -> list[tuple[int, int, int, int]]:
    """Return instructions that allow a call on one condition, and otherwise continue after them."""
    where = _ARGUMENTS + 8 * rule.argument
    checks: list[tuple[int, int, int, int]] = []
    for offset in (where, where + 4) if rule.wide else (where,):
        checks += [(_LOAD, 0, 0, offset), (_AND, 0, 0, rule.mask), (_EQUAL, 0, 0, rule.value)]
    block: list[tuple[int, int, int, int]] = []
    length = len(checks) + 1  # the checks and the ALLOW behind them
    for index, (code, _, _, constant) in enumerate(checks):
        if code != _EQUAL:
            block.append((code, 0, 0, constant))
            continue
        miss = length - index - 1
        block.append((code, miss, 0, constant) if rule.unless else (code, 0, miss, constant))
    block += [(_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(block), number), *block]
