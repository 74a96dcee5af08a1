"""A directory of limited size: a file system in memory that only this process sees.

The process mounts it in a mount namespace of its own. The kernel limits its bytes and its number of
files, also of files that were unlinked, and frees everything when the process ends, however deep,
hidden or unreadable it is. It uses the standard library only.
"""

import ctypes
import os
import platform
import struct
import sys

__all__ = ["mount_limited_folder"]

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_NO_SUID, _NO_DEVICES, _NO_EXECUTION = 2, 4, 8
_PRIVATE = (1 << 18) | (1 << 14)  # for the whole tree
_CAPSET = {"x86_64": 126, "aarch64": 91, "arm64": 91}
_CAPABILITY_VERSION = 0x20080522


def mount_limited_folder(
    folder: str, max_bytes: int, max_files: int, has_namespace: bool = False
) -> bool:
    """Mount an empty file system on `folder` for this process, and drop all capabilities.

    With `has_namespace` the process already has a mount namespace of its own. Returns False where
    the system forbids it. Must be called while the process has one thread.
    """
    if sys.platform != "linux" or platform.machine() not in _CAPSET:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not has_namespace and not _enter_namespaces(libc):
        return False
    options = f"size={max_bytes},nr_inodes={max_files},mode=0700".encode()
    flags = _NO_SUID | _NO_DEVICES | _NO_EXECUTION
    is_mounted = not libc.mount(b"none", b"/", None, _PRIVATE, None) and not libc.mount(
        b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options
    )
    _drop_capabilities(libc)
    if is_mounted:
        os.chdir(folder)
    return is_mounted


def _enter_namespaces(libc: ctypes.CDLL) -> bool:
    """Enter a user and a mount namespace in which user and group stay the same."""
    user, group = os.geteuid(), os.getegid()
    if not os.access("/proc/self/uid_map", os.W_OK) or libc.unshare(_NEW_USER | _NEW_MOUNTS):
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Drop the capabilities that the namespace gave; the calls that need them are denied anyway."""
    head = ctypes.create_string_buffer(struct.pack("@Ii", _CAPABILITY_VERSION, 0))
    none = ctypes.create_string_buffer(24)
    libc.syscall(_CAPSET[platform.machine()], head, none)
