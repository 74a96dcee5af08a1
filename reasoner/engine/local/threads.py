"""The number of threads and how they wait for each other.

llama.cpp's workers meet at a barrier after every matrix product. Spinning there is fastest on an
idle machine and ruinous on a busy one: the spinner burns the time slice that the last worker
needs. OpenMP can spin for a moment and then sleep, which costs little on either.
"""

import os

__all__ = ["default_threads", "set_wait_policy", "usable_cores"]

SPIN_ITERATIONS = "1000"
"""Measured by bench/threads.py: as fast as spinning on, idle; near the fair share beside a
neighbour that keeps a core busy, where spinning on loses two thirds."""


def set_wait_policy() -> None:
    """Choose how OpenMP workers wait; must run before llama.cpp's library is loaded.

    Whatever the user set in the environment stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_ITERATIONS)


def usable_cores() -> int:
    """Cores this process may use: its affinity, capped by a cgroup's CPU quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(cores, quota)) if quota else max(1, cores)


def default_threads() -> int:
    """One thread per physical core: a second one on the same core only waits for memory."""
    cores = usable_cores()
    return max(1, cores // _threads_per_core())


def _cgroup_quota() -> int | None:
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()[:2]
        return None if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None


def _threads_per_core() -> int:
    try:
        with open("/sys/devices/system/cpu/smt/active") as file:
            return 2 if file.read().strip() == "1" else 1
    except OSError:
        return 1
