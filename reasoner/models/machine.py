"""What this machine has for models: memory within its cgroups' limits, disk space, bandwidth.

Nothing here loads llama.cpp; the memory of GPUs is `reasoner.engine.local.devices`.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

__all__ = [
    "Machine",
    "cgroup_memory_limit",
    "free_disk_bytes",
    "measure_bandwidth",
    "ram_bytes",
]

PROCESS_FOLDER = Path("/proc/self")
UNLIMITED_BYTES = 1 << 60
"""Limits from here on mean no limit; cgroup v1 writes the largest multiple of a page."""
OCTAL_ESCAPE = re.compile(r"\\([0-7]{3})")
BANDWIDTH_BUFFER_BYTES = 128 * 1024 * 1024
"""Larger than the caches of processors, so that memory is measured and not a cache."""
BANDWIDTH_PASSES = 4


@dataclass(frozen=True)
class Machine:
    """What a model may use, in bytes; None where the system does not tell.

    `ram_bytes` is the memory within the limits of the process, `vram_bytes` that of its GPUs.
    `is_unified` says that both are the same memory. `disk_bytes` is free where models are kept.
    `bandwidth` and `gpu_bandwidth` are in bytes per second.
    """

    ram_bytes: int | None
    disk_bytes: int | None
    bandwidth: float
    vram_bytes: int = 0
    gpu_bandwidth: float = 0.0
    is_unified: bool = False


def ram_bytes(process: Path = PROCESS_FOLDER) -> int | None:
    """The memory that this process may use: the machine's, capped by the limits of its cgroups.

    None where the system tells neither. `process` is the process's folder in /proc.
    """
    try:
        total: int | None = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        total = None
    limits = [size for size in (total, cgroup_memory_limit(process)) if size is not None]
    return min(limits, default=None)


def cgroup_memory_limit(process: Path = PROCESS_FOLDER) -> int | None:
    """The smallest memory limit in bytes of the process's cgroups and those around them.

    Reads cgroup v1 and v2, also both at once, where the system has mounted them. None means that
    there is no limit or no cgroup.
    """
    limits = [
        limit
        for folder, name in _limit_files(process)
        if (limit := _read_limit(folder / name)) is not None
    ]
    return min(limits, default=None)


def _limit_files(process: Path) -> Iterator[tuple[Path, str]]:
    """The folder and the limit's file name of each cgroup, from the innermost outwards."""
    paths = _cgroup_paths(process)
    for kind, root, mount in _cgroup_mounts(process):
        if (path := paths.get(kind)) is None:
            continue
        name = "memory.max" if kind == "cgroup2" else "memory.limit_in_bytes"
        folder = mount / _path_below(path, root)
        yield folder, name
        while folder != mount:
            folder = folder.parent
            yield folder, name


def _cgroup_paths(process: Path) -> dict[str, str]:
    """The process's cgroup by kind of hierarchy: `cgroup2`, or `cgroup` for v1's memory."""
    paths = {}
    for line in _lines(process / "cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            paths["cgroup2"] = path
        elif "memory" in controllers.split(","):
            paths["cgroup"] = path
    return paths


def _cgroup_mounts(process: Path) -> Iterator[tuple[str, str, Path]]:
    """The kind, the root and the mount point of each hierarchy that can limit memory."""
    for line in _lines(process / "mountinfo"):
        mount, _, source = line.partition(" - ")
        fields, (kind, *options) = mount.split(), source.split() or [""]
        if len(fields) < 5 or kind not in {"cgroup", "cgroup2"}:
            continue
        if kind == "cgroup2" or "memory" in ",".join(options[1:]).split(","):
            yield kind, _unescape(fields[3]), Path(_unescape(fields[4]))


def _path_below(path: str, root: str) -> str:
    """A cgroup's path relative to its mount's root, empty when it lies outside, as it does in
    another namespace."""
    below = Path(path)
    if ".." in below.parts or not below.is_relative_to(root):
        return ""
    return below.relative_to(root).as_posix()


def _unescape(text: str) -> str:
    return OCTAL_ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)


def _read_limit(file: Path) -> int | None:
    text = "".join(_lines(file)).strip()
    limit = int(text) if text.isdecimal() else UNLIMITED_BYTES
    return limit if limit < UNLIMITED_BYTES else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def free_disk_bytes(folder: Path) -> int | None:
    """The free bytes where `folder` is, or will be once it is created; None if unknown."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def measure_bandwidth(threads: int) -> float:
    """Measure how many bytes per second `threads` threads read from memory together.

    Takes about a twentieth of a second. Decoding a model is bound by it: each token reads all
    weights that it uses.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    parts = np.array_split(np.ones(BANDWIDTH_BUFFER_BYTES, np.int8), threads)
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(BANDWIDTH_PASSES):
            start = perf_counter()
            list(pool.map(np.max, parts))
            seconds.append(perf_counter() - start)
    return BANDWIDTH_BUFFER_BYTES / min(seconds)
