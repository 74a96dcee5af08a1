"""Threads follow the affinity's physical cores and every CPU quota around the process."""

import io
import os
from collections.abc import Mapping
from typing import Any

import pytest

from reasoner.engine.local import threads
from reasoner.engine.local.cgroup import cgroup_folders

CPUS = "/sys/devices/system/cpu"
SMT = f"{CPUS}/smt/active"
GROUPS = "/sys/fs/cgroup"


def _siblings(pairs: Mapping[int, str]) -> dict[str, str]:
    return {f"{CPUS}/cpu{cpu}/topology/thread_siblings_list": text for cpu, text in pairs.items()}


def _threads(monkeypatch: pytest.MonkeyPatch, cpus: set[int], files: Mapping[str, str]) -> int:
    def fake_open(path: Any, *_args: Any, **_options: Any) -> io.StringIO:
        if str(path) not in files:
            raise FileNotFoundError(path)
        return io.StringIO(files[str(path)])

    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cpus, raising=False)
    monkeypatch.setattr(threads, "open", fake_open, raising=False)
    return threads.default_threads()


V2 = {"/proc/self/cgroup": "0::/machine.slice/box.scope/payload\n"}
V1 = {"/proc/self/cgroup": "7:memory:/k/pod\n3:cpu,cpuacct:/k/pod\n1:name=systemd:/x\n0::/x\n"}
HYBRID_DIRECTORY = f"{GROUPS}/unified/machine.slice/box.scope"


@pytest.mark.parametrize(
    ("cpus", "files", "expected"),
    [
        pytest.param(24, {f"{GROUPS}/cpu.max": "650000 100000\n", SMT: "1"}, 6, id="v2"),
        pytest.param(24, {f"{GROUPS}/cpu.max": "max 100000\n", SMT: "0"}, 24, id="no quota"),
        pytest.param(24, {f"{GROUPS}/cpu.max": "20000 100000\n"}, 1, id="a fifth of a core"),
        pytest.param(
            24,
            V2 | {f"{GROUPS}/machine.slice/cpu.max": "300000 100000\n"},
            3,
            id="v2, the limit is two groups further out",
        ),
        pytest.param(
            24,
            V2
            | {
                f"{GROUPS}/machine.slice/cpu.max": "500000 100000\n",
                f"{GROUPS}/machine.slice/box.scope/payload/cpu.max": "900000 100000\n",
            },
            5,
            id="v2, the smallest of several limits",
        ),
        pytest.param(
            24, V2 | {f"{HYBRID_DIRECTORY}/cpu.max": "400000 200000\n"}, 2, id="v2 beside v1"
        ),
        pytest.param(
            24,
            V1
            | {
                f"{GROUPS}/cpu,cpuacct/k/cpu.cfs_quota_us": "420000\n",
                f"{GROUPS}/cpu,cpuacct/k/cpu.cfs_period_us": "100000\n",
                f"{GROUPS}/cpu,cpuacct/k/pod/cpu.cfs_quota_us": "-1\n",
                f"{GROUPS}/cpu,cpuacct/k/pod/cpu.cfs_period_us": "100000\n",
            },
            4,
            id="v1, nested",
        ),
        pytest.param(
            24,
            V1
            | {
                f"{GROUPS}/cpu/cpu.cfs_quota_us": "150000\n",
                f"{GROUPS}/cpu/cpu.cfs_period_us": "50000\n",
            },
            3,
            id="v1 in a container, which sees its own group as the root",
        ),
        pytest.param(
            6,
            _siblings({0: "0,3", 1: "1,4", 2: "2,5", 3: "0,3", 4: "1,4", 5: "2,5"}) | {SMT: "1"},
            3,
            id="both threads of three cores",
        ),
        pytest.param(
            3, _siblings({0: "0-1", 1: "0-1", 2: "2-3"}) | {SMT: "1"}, 2, id="a core and a half"
        ),
        pytest.param(5, {SMT: "1"}, 3, id="no topology, five hardware threads"),
        pytest.param(
            8,
            _siblings({cpu: f"{cpu},{cpu + 8}" for cpu in range(8)})
            | {SMT: "1", f"{GROUPS}/cpu.max": "300000 100000"},
            3,
            id="a quota below the cores",
        ),
        pytest.param(
            4, {f"{GROUPS}/cpu.max": "lots\n", "/proc/self/cgroup": "\0:::"}, 4, id="nonsense"
        ),
    ],
)
def test_threads(
    monkeypatch: pytest.MonkeyPatch, cpus: int, files: Mapping[str, str], expected: int
) -> None:
    assert _threads(monkeypatch, set(range(cpus)), files) == expected


def test_groups_outside_the_namespace_are_not_followed() -> None:
    folders = [str(folder) for folder in cgroup_folders("cpu", "0::/../../etc\n")]
    assert all(folder.startswith(GROUPS) and ".." not in folder for folder in folders)
    assert len(folders) == len(set(folders))
