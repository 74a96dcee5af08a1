"""Landlock: restricting the file system that a process can reach.

It uses the standard library only. Landlock covers files and, on newer kernels, TCP and abstract
sockets; `seccomp` covers the rest.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Sequence

__all__ = ["LandlockError", "apply_landlock", "landlock_version"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_ON_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_MAKE = (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8)  # remove and make directories and files
_READ = _READ_FILE | _READ_DIR
_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15}


class LandlockError(OSError):
    """The ruleset could not be applied, so untrusted code must not run."""


def landlock_version() -> int:
    """Return the kernel's Landlock version, 0 without Landlock."""
    version = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, 0, 1)
    return max(0, int(version))


def apply_landlock(read: Sequence[str], write: Sequence[str]) -> None:
    """Restrict this process irrevocably: it can read `read` and `write`, and change only `write`.

    Paths that do not exist are ignored. Raises LandlockError when that cannot be enforced.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = landlock_version()
    if version < 1:
        raise LandlockError("the kernel has no Landlock")
    handled = (1 << _HANDLED.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", handled, 3, 3)[
        : 8 if version < 4 else 16 if version < 6 else 24
    ]
    ruleset = libc.syscall(_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        raise LandlockError(ctypes.get_errno(), "landlock_create_ruleset")
    for path in read:
        _allow(libc, ruleset, path, _READ & handled)
    for path in write:
        _allow(libc, ruleset, path, (_READ | _MAKE | _WRITE_FILE | _TRUNCATE) & handled)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if libc.syscall(_RESTRICT, ruleset, 0):
        raise LandlockError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it does not exist, so it needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _ON_FILES
        rule = struct.pack("=Qi", access, descriptor)
        if libc.syscall(_ADD, ruleset, 1, rule, 0):
            raise LandlockError(ctypes.get_errno(), f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)
