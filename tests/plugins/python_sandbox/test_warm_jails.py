"""Jails started ahead: used once, bounded in number, and none left whatever happens to us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import python_sandbox
from python_sandbox import folder, pool, probe
from python_sandbox.run import run_python

pytestmark = pytest.mark.skipif(
    probe.choose_layer().layer is None, reason="no sandbox layer works here"
)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    pool.close()


def soon(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def named(text: str) -> list[str]:
    """The processes whose command line holds `text`, as a jail's holds its directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if text.encode() in line:
            found.append(entry.parent.name)
    return found


def filled() -> bool:
    return len(pool.warm_process_ids()) == pool.POOL_SIZE


def test_a_jail_is_used_once() -> None:
    run_python("1")
    assert soon(filled)
    waiting = set(pool.warm_process_ids())
    code = "import os, sys, builtins\nprint(os.getcwd(), hasattr(builtins, 'mark'), os.listdir())\n"
    runs = [run_python(code + "builtins.mark = 1; open('left', 'w')") for _ in range(3)]
    assert all(run.outcome == "ok" for run in runs)
    boxes, marks, files = zip(*(run.stdout.split() for run in runs), strict=True)
    assert len(set(boxes)) == 3
    assert set(marks) == {"False"}
    assert set(files) == {"[]"}
    assert soon(filled)
    assert not waiting & set(pool.warm_process_ids())


@pytest.mark.slow
def test_a_warm_jail_that_died_costs_nothing_but_time() -> None:
    run_python("1")
    assert soon(filled)
    waiting = pool.warm_process_ids()
    for pid in waiting:
        os.killpg(pid, signal.SIGKILL)
    assert soon(lambda: all(gone(pid) for pid in waiting))  # till then one may take its order
    assert run_python("print(6 * 7)").stdout == "42\n"


@pytest.mark.slow
def test_thirty_runs_and_closing_leave_nothing() -> None:
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    outcomes = [run_python(f"open('f', 'w').write('x'); print({n})").stdout for n in range(30)]
    assert outcomes == [f"{n}\n" for n in range(30)]
    assert soon(filled)
    last = pool.warm_process_ids()
    python_sandbox.close()
    assert pool.warm_process_ids() == ()
    assert all(gone(pid) for pid in last)
    root = Path(folder.create_temporary_folder()).parent
    assert len(list(root.iterdir())) == 1
    folder.remove_folder(str(next(root.iterdir())))
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) <= before + 1  # the folder's lock


PARENT = """
import sys, time
from python_sandbox import pool
from python_sandbox.run import run_python
import threading
run_python("1")
while len(pool.warm_process_ids()) < pool.POOL_SIZE: time.sleep(0.02)
waiting = pool.warm_process_ids()
threading.Thread(target=run_python, args=("import time; time.sleep(60)",), daemon=True).start()
while len(set(pool.warm_process_ids()) | set(waiting)) < pool.POOL_SIZE + 1: time.sleep(0.02)
print(*waiting, *pool.warm_process_ids(), flush=True)
{ending}
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
@pytest.mark.parametrize("ending", ["time.sleep(60)", "sys.exit(3)"])
def test_jails_end_with_their_parent(ending: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT.format(ending=ending)]
    environment = os.environ | {"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(set(pids)) == pool.POOL_SIZE + 1  # one is running, the others wait
        if ending.startswith("time"):
            assert len(named(str(tmp_path))) > pool.POOL_SIZE
            parent.kill()
        parent.wait(30)
    assert soon(lambda: all(gone(pid) for pid in pids) and not named(str(tmp_path)))
    killed = parent.returncode == -signal.SIGKILL
    assert killed == bool(list(tmp_path.rglob(f"{folder.PREFIX}*")))


@pytest.mark.slow
def test_the_folder_of_a_killed_process_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = tmp_path / "reasoner"
    names = ("left", "held", "new")
    for name in names:
        (home / f"{folder.PREFIX}{name}" / "box").mkdir(parents=True)
        (home / f"{folder.PREFIX}{name}").chmod(0o700)
    for path in (tmp_path, home):
        path.chmod(0o700)
    for name in names[:2]:
        os.utime(home / f"{folder.PREFIX}{name}", (1, 1))
    holder = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)"
    command = [sys.executable, "-c", f"{holder}; print(flush=True); input()"]
    with subprocess.Popen(
        [*command, str(home / f"{folder.PREFIX}held")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setattr(folder, "_root", [])
        made = Path(folder.create_temporary_folder())
        left = {path.name.removeprefix(folder.PREFIX) for path in home.iterdir()}
        process.kill()
    assert left == {"held", "new", made.parent.name.removeprefix(folder.PREFIX)}
