"""The caches' ground: many processes, little room, and files that are not what they were."""

import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from reasoner.cache.disk_cache import DiskCache

PROCESSES, WRITES = 8, 200
WRITER = """
import sys
from pathlib import Path
from reasoner.cache.disk_cache import DiskCache

vault, name = DiskCache(Path(sys.argv[1]), 10**8), sys.argv[2]
for number in range(int(sys.argv[3])):
    key = f"{name} {number}".encode()
    assert vault.put(key, key * 10), key
    if number % 10 == 0:
        vault.update(b"shared", lambda old: (old or b"") + b".")
vault.close()
"""


@pytest.fixture
def vault(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "vault", 10**7)


def rows(vault: DiskCache, change: str, *values: object) -> None:
    """Change the file behind the cache's back."""
    vault.close()
    connection = sqlite3.connect(vault.directory / "cache.db")
    with connection:
        connection.execute(change, values)
    connection.close()


def test_what_was_put_comes_back(vault: DiskCache) -> None:
    assert vault.get(b"key") is None
    assert vault.put(b"key", b"value" * 10_000)
    assert vault.get(b"key") == b"value" * 10_000
    assert vault.usage()[0] == 1
    assert vault.clear() == 1
    assert vault.get(b"key") is None
    vault.close()


@pytest.mark.slow
def test_many_processes_lose_nothing(tmp_path: Path) -> None:
    place = str(tmp_path / "vault")
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, place, f"w{number}", str(WRITES)])
        for number in range(PROCESSES)
    ]
    assert [process.wait(timeout=250) for process in processes] == [0] * PROCESSES
    vault = DiskCache(tmp_path / "vault", 10**8)
    keys = [f"w{p} {n}".encode() for p in range(PROCESSES) for n in range(WRITES)]
    assert all(vault.get(key) == key * 10 for key in keys)
    assert vault.get(b"shared") == b"." * (PROCESSES * WRITES // 10)
    vault.close()


def test_the_size_is_bounded_and_what_is_used_stays(vault: DiskCache) -> None:
    for number in range(30):
        assert vault.put(str(number).encode(), bytes(1_000_000))
        assert vault.get(b"0") is not None
    _, size = vault.usage()
    assert size <= vault.max_bytes + 1_000_000
    assert vault.get(b"1") is None
    assert not vault.put(b"huge", bytes(vault.max_bytes))
    vault.close()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_file_that_is_no_database_is_begun_anew(vault: DiskCache, content: bytes) -> None:
    vault.put(b"key", b"value")
    vault.close()
    for file in vault.directory.glob("cache.db*"):
        file.write_bytes(content)
    assert vault.get(b"key") is None
    assert vault.put(b"key", b"new")
    assert vault.get(b"key") == b"new"
    vault.close()


def test_a_damaged_entry_is_dropped(vault: DiskCache) -> None:
    vault.put(b"key", b"v" * 100_000)
    (file,) = vault.directory.glob("**/*.val")
    for damaged in (file.read_bytes()[:-1], b"x" + file.read_bytes()[1:], b""):
        vault.put(b"key", b"v" * 100_000)
        (file,) = vault.directory.glob("**/*.val")
        file.write_bytes(damaged)
        assert vault.get(b"key") is None
        assert vault.usage()[0] == 0
    vault.close()


def test_a_value_cannot_stand_under_anothers_key(vault: DiskCache) -> None:
    vault.put(b"one", b"the answer to one")
    rows(vault, "UPDATE Cache SET key = ?", b"two")
    assert vault.get(b"two") is None
    vault.close()


def test_no_pickle_is_loaded(vault: DiskCache, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "exploded",)

    vault.put(b"key", b"value")
    rows(vault, "UPDATE Cache SET mode = 4, filename = NULL, value = ?", pickle.dumps(Bomb()))
    assert vault.get(b"key") is None
    assert not (tmp_path / "exploded").exists()
    vault.close()


def test_a_place_that_cannot_be_written_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    vault = DiskCache(tmp_path / "file" / "vault", 10**7)
    assert not vault.put(b"key", b"value")
    assert vault.get(b"key") is None
    assert vault.usage() == (0, 0)
    vault.close()


def test_its_directory_is_its_owners_alone(vault: DiskCache) -> None:
    vault.put(b"key", b"value")
    assert vault.directory.stat().st_mode & 0o077 == 0
    vault.close()
