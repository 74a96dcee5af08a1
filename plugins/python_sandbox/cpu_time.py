"""The computing time of a process and its descendants."""

import os
from pathlib import Path

__all__ = ["cpu_seconds"]


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU time that a process and its descendants used; infinity where the
    system does not tell."""
    processes: dict[int, tuple[int, float]] = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        used = (int(fields[11]) + int(fields[12])) / ticks
        processes[int(entry.parent.name)] = (int(fields[1]), used)
    if pid not in processes:
        return float("inf")
    family = [pid]
    for member in family:
        family += [child for child, (parent, _) in processes.items() if parent == member]
    return sum(processes[member][1] for member in family)
