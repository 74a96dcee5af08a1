"""The number of threads and how they wait for each other.

llama.cpp's workers meet at a barrier after every matrix product. Spinning there is fastest on an
idle machine and ruinous on a busy one: the spinner burns the time slice that the last worker
needs. OpenMP can spin for a moment and then sleep, which costs little on either.
"""

import os

from reasoner.engine.local.cgroup import MEMBERSHIP_FILE, cgroup_folders

__all__ = ["default_threads", "set_wait_policy", "usable_cores"]

SPIN_ITERATIONS = "1000"
"""Measured by bench/threads.py: as fast as spinning on, idle; near the fair share beside a
neighbour that keeps a core busy, where spinning on loses two thirds."""
MAX_FILE_CHARS = 1 << 16
NO_QUOTA = 1 << 20
"""More cores than any machine has."""


def set_wait_policy() -> None:
    """Choose how OpenMP workers wait; must run before llama.cpp's library is loaded.

    Whatever the user set in the environment stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_ITERATIONS)


def usable_cores() -> int:
    """Return how many cores this process may keep busy, at least 1.

    It is the number of logical processors of its affinity, capped by the CPU quota of its control
    groups. A part of a core is left out.
    """
    return max(1, min(len(_affinity()), _quota_cores()))


def default_threads() -> int:
    """Return the number of threads to compute with: one per physical core of the affinity, and no
    more than the CPU quota pays for.

    A second thread on the same core only waits for memory. The quota counts CPU time, so that
    hardware threads do not matter for it.
    """
    return max(1, min(_physical_cores(_affinity()), _quota_cores()))


def _affinity() -> set[int]:
    try:
        return set(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return set(range(os.cpu_count() or 1))


def _physical_cores(processors: set[int]) -> int:
    """How many cores the logical processors are on. Where the topology cannot be read, two are
    assumed to share a core if the machine says that it has such cores."""
    siblings = {processor: _siblings(processor) for processor in processors}
    if any(siblings.values()):
        return len({text or str(processor) for processor, text in siblings.items()})
    has_smt = _read("/sys/devices/system/cpu/smt/active").strip() == "1"
    return -(-len(processors) // 2) if has_smt else len(processors)


def _siblings(processor: int) -> str:
    """The logical processors on the same core in the kernel's notation (`0,8` or `0-1`)."""
    folder = f"/sys/devices/system/cpu/cpu{processor}/topology"
    text = _read(f"{folder}/thread_siblings_list") or _read(f"{folder}/core_cpus_list")
    return text.strip()


def _quota_cores() -> int:
    """The whole cores that the smallest CPU quota pays for; without a quota a large number."""
    quotas = [NO_QUOTA]
    for folder in cgroup_folders("cpu", _read(MEMBERSHIP_FILE)):
        quotas.append(_cores_of(_read(f"{folder}/cpu.max").split()))
        if quota := _read(f"{folder}/cpu.cfs_quota_us"):
            quotas.append(_cores_of([quota, _read(f"{folder}/cpu.cfs_period_us")]))
    return min(quotas)


def _cores_of(quota_and_period: list[str]) -> int:
    """The whole cores of a quota and its period in microseconds; a quota of `max` or -1 is none."""
    try:
        quota, period = map(int, quota_and_period)
        return quota // period if quota > 0 else NO_QUOTA
    except (ValueError, ZeroDivisionError):
        return NO_QUOTA


def _read(path: str) -> str:
    """The text of a file of the kernel, empty where there is none."""
    try:
        with open(path, errors="replace") as file:
            return file.read(MAX_FILE_CHARS)
    except OSError:
        return ""
