"""Main memory is what the machine has free, and what every control group around leaves."""

import resource
from collections.abc import Mapping

import pytest

from reasoner.engine.local import host_memory
from reasoner.engine.local.host_memory import available_memory

GB = 10**9
GROUPS = "/sys/fs/cgroup"
FREE = {"/proc/meminfo": f"MemTotal: 90000000 kB\nMemAvailable: {40 * GB // 1024} kB\n"}
V2 = {"/proc/self/cgroup": "0::/a.slice/b.scope\n"}
V1 = {"/proc/self/cgroup": "9:memory:/pod/one\n0::/\n"}
UNLIMITED_V1 = {f"{GROUPS}/memory/memory.limit_in_bytes": "9223372036854771712\n"}


@pytest.mark.parametrize(
    ("files", "gigabytes"),
    [
        pytest.param({}, 40, id="no groups"),
        pytest.param({f"{GROUPS}/memory.max": "max\n"}, 40, id="no limit"),
        pytest.param(UNLIMITED_V1, 40, id="no limit, v1"),
        pytest.param(
            {f"{GROUPS}/memory.max": f"{8 * GB}\n", f"{GROUPS}/memory.current": f"{3 * GB}\n"},
            5,
            id="v2",
        ),
        pytest.param(
            {
                f"{GROUPS}/memory.max": f"{8 * GB}\n",
                f"{GROUPS}/memory.current": f"{7 * GB}\n",
                f"{GROUPS}/memory.stat": f"anon {GB}\nactive_file {2 * GB}\ninactive_file {4 * GB}",
            },
            7,
            id="cached files are free",
        ),
        pytest.param(
            V2 | {f"{GROUPS}/a.slice/memory.high": f"{6 * GB}\n"}, 6, id="v2, a group further out"
        ),
        pytest.param(
            V1
            | UNLIMITED_V1
            | {
                f"{GROUPS}/memory/pod/memory.limit_in_bytes": f"{20 * GB}\n",
                f"{GROUPS}/memory/pod/memory.usage_in_bytes": f"{18 * GB}\n",
                f"{GROUPS}/memory/pod/one/memory.limit_in_bytes": f"{10 * GB}\n",
                f"{GROUPS}/memory/pod/one/memory.usage_in_bytes": f"{GB}\n",
            },
            2,
            id="v1, nested",
        ),
    ],
)
def test_the_smallest_limit_counts(
    monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str], gigabytes: int
) -> None:
    known = FREE | dict(files)
    monkeypatch.setattr(host_memory, "_read", lambda path: known.get(str(path), ""))
    reserve = min(gigabytes * GB // 10, 1 << 30)
    assert abs(available_memory() - (gigabytes * GB - reserve)) < 2048


def test_a_limit_of_address_space_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    files = FREE | {"/proc/self/statm": "1000 1 1 1 0 1 0\n"}
    monkeypatch.setattr(host_memory, "_read", lambda path: files.get(str(path), ""))
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (10 * GB, 10 * GB))
    left = 10 * GB - 1000 * resource.getpagesize()
    assert available_memory() == left - left // 10


def test_this_machine_has_some() -> None:
    assert 0 < available_memory() < 1 << 50
