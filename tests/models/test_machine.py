"""What this machine has is read from what a kernel writes, in every shape of cgroup."""

import os
from pathlib import Path

import pytest

from reasoner.models.machine import (
    cgroup_memory_limit,
    free_disk_bytes,
    measure_bandwidth,
    ram_bytes,
)

GIB = 1 << 30
NO_LIMIT_V1 = "9223372036854771712"


def make_process(folder: Path, cgroup: str, *mounts: tuple[str, Path, str]) -> Path:
    """A process's folder in /proc; each mount is its root, its point and `type source options`."""
    process = folder / "self"
    process.mkdir()
    (process / "cgroup").write_text(cgroup)
    lines = ["22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"]
    for root, point, source in mounts:
        escaped = str(point).replace(" ", "\\040")
        lines.append(f"35 31 0:32 {root} {escaped} rw,relatime - {source}")
    (process / "mountinfo").write_text("\n".join(lines) + "\n")
    return process


def write_limit(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


def test_version_2_takes_the_smallest_limit_on_the_way_up(tmp_path: Path) -> None:
    point = tmp_path / "fs cgroup"
    write_limit(point / "user.slice" / "app" / "job" / "memory.max", "max")
    write_limit(point / "user.slice" / "app" / "memory.max", str(3 * GIB))
    write_limit(point / "user.slice" / "memory.max", str(8 * GIB))
    process = make_process(
        tmp_path, "0::/user.slice/app/job\n", ("/", point, "cgroup2 cgroup2 rw,nsdelegate")
    )
    assert cgroup_memory_limit(process) == 3 * GIB


def test_version_1_finds_the_hierarchy_with_memory(tmp_path: Path) -> None:
    memory, cpu = tmp_path / "memory", tmp_path / "cpu"
    write_limit(memory / "docker" / "c1" / "memory.limit_in_bytes", str(2 * GIB))
    write_limit(memory / "docker" / "memory.limit_in_bytes", NO_LIMIT_V1)
    write_limit(cpu / "docker" / "c1" / "memory.limit_in_bytes", "1")
    process = make_process(
        tmp_path,
        "5:cpu,cpuacct:/docker/c1\n4:memory:/docker/c1\n0::/\n",
        ("/", cpu, "cgroup cgroup rw,cpu,cpuacct"),
        ("/", memory, "cgroup cgroup rw,memory"),
    )
    assert cgroup_memory_limit(process) == 2 * GIB


def test_a_container_sees_its_own_cgroup_as_the_mount(tmp_path: Path) -> None:
    """The path counts from the host's root, of which only the container's part is mounted."""
    point = tmp_path / "memory"
    write_limit(point / "memory.limit_in_bytes", str(GIB))
    process = make_process(
        tmp_path,
        "4:memory:/docker/0a1b\n",
        ("/docker/0a1b", point, "cgroup cgroup rw,memory"),
    )
    assert cgroup_memory_limit(process) == GIB


@pytest.mark.parametrize("path", ["/../../elsewhere", "/not/mounted"])
def test_a_cgroup_outside_the_mount_falls_back_to_the_mount(tmp_path: Path, path: str) -> None:
    point = tmp_path / "unified"
    write_limit(point / "memory.max", str(5 * GIB))
    process = make_process(tmp_path, f"0::{path}\n", ("/pod", point, "cgroup2 none rw"))
    assert cgroup_memory_limit(process) == 5 * GIB


@pytest.mark.parametrize("text", ["max", NO_LIMIT_V1, "", "many", "-1"])
def test_no_limit_is_none(tmp_path: Path, text: str) -> None:
    point = tmp_path / "unified"
    write_limit(point / "memory.max", text)
    process = make_process(tmp_path, "0::/\n", ("/", point, "cgroup2 none rw"))
    assert cgroup_memory_limit(process) is None


@pytest.mark.parametrize("line", ["", "35 31 0:32 / /x rw -", "35 - cgroup2", " - "])
def test_a_broken_mount_table_limits_nothing(tmp_path: Path, line: str) -> None:
    process = make_process(tmp_path, "0::/\nnonsense\n::\n")
    (process / "mountinfo").write_text(f"{line}\n")
    assert cgroup_memory_limit(process) is None
    assert cgroup_memory_limit(tmp_path / "none") is None


def test_memory_is_the_smaller_of_machine_and_limit(tmp_path: Path) -> None:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert ram_bytes(tmp_path / "none") == total
    point = tmp_path / "unified"
    write_limit(point / "memory.max", str(total * 2))
    process = make_process(tmp_path, "0::/\n", ("/", point, "cgroup2 none rw"))
    assert ram_bytes(process) == total
    write_limit(point / "memory.max", str(total // 2))
    assert ram_bytes(process) == total // 2
    assert 0 < (ram_bytes() or 0) <= total


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    stat = os.statvfs(tmp_path)
    free = free_disk_bytes(tmp_path / "not" / "yet" / "here")
    assert free is not None
    assert 0.5 < (free + 1) / (stat.f_bavail * stat.f_frsize + 1) < 2


def test_bandwidth_is_that_of_memory() -> None:
    """Between a slow board and the fastest server; a cache or an empty loop would exceed it."""
    assert 10**8 < measure_bandwidth(2) < 4 * 10**12
