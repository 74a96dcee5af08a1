"""How much main memory this process may still use, as the machine and its control groups say."""

import os
import resource
from pathlib import Path, PurePosixPath

from reasoner.engine.local.cgroup import MEMBERSHIP_FILE, cgroup_folders

__all__ = ["available_memory"]

MEMORY_FILE = "/proc/meminfo"
LIMIT_FILES = ("memory.max", "memory.high", "memory.limit_in_bytes")
USAGE_FILES = ("memory.current", "memory.usage_in_bytes")
"""Of cgroup v2 and of v1."""
MAX_FILE_CHARS = 1 << 16
NO_LIMIT = 1 << 60
"""Limits from here on are none: cgroup v1 writes a number near 2⁶³."""
RESERVE_DIVISOR, MAX_RESERVE_BYTES = 10, 1 << 30


def available_memory() -> int:
    """Return the bytes of main memory that can be used without swapping, less a reserve for
    everything else: a tenth, at most 1 GiB.

    The smallest of what is free on the machine, what the limits of the control groups around the
    process leave, and what its own limit of address space (`ulimit -v`) leaves. Memory that only
    caches files counts as free.
    """
    groups = cgroup_folders("memory", _read(MEMBERSHIP_FILE))
    free = min([_machine_free(), _address_space(), *(_group_free(folder) for folder in groups)])
    return max(0, free - min(free // RESERVE_DIVISOR, MAX_RESERVE_BYTES))


def _machine_free() -> int:
    available = _fields(MEMORY_FILE, ":").get("MemAvailable")
    if available is not None:
        return available * 1024
    try:  # macOS has no such file, and counts little as free that is not
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4
    except (ValueError, OSError):
        return NO_LIMIT


def _address_space() -> int:
    """What the process may still map; NO_LIMIT where that is not limited."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return NO_LIMIT
    pages = _read("/proc/self/statm").split()
    return max(0, limit - (int(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0))


def _group_free(folder: PurePosixPath) -> int:
    """What the limits of one group leave; NO_LIMIT where it has none."""
    limits = [_number(f"{folder}/{name}") for name in LIMIT_FILES]
    limit = min((value for value in limits if value is not None), default=NO_LIMIT)
    if limit >= NO_LIMIT:
        return NO_LIMIT
    used = max(_number(f"{folder}/{name}") or 0 for name in USAGE_FILES)
    counts = _fields(f"{folder}/memory.stat", " ")
    cached = counts.get("total_inactive_file", counts.get("inactive_file", 0))
    cached += counts.get("total_active_file", counts.get("active_file", 0))
    return max(0, limit - max(0, used - cached))


def _number(path: str) -> int | None:
    """The number in a file; None where there is none, as in `max`."""
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _fields(path: str, separator: str) -> dict[str, int]:
    """The lines `name separator number …` of a file."""
    fields = {}
    for line in _read(path).splitlines():
        name, _, rest = line.partition(separator)
        words = rest.split()
        if words and words[0].isdecimal():
            fields[name] = int(words[0])
    return fields


def _read(path: str) -> str:
    """The text of a file of the kernel, empty where there is none."""
    try:
        with Path(path).open(errors="replace") as file:
            return file.read(MAX_FILE_CHARS)
    except OSError:
        return ""
