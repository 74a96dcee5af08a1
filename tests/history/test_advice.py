"""What is advised about a history that cannot be used depends on what is wrong with it."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from reasoner.errors import StoreError
from reasoner.history import database
from reasoner.history.advice import advice_for
from reasoner.history.database import History


def message(file: Path) -> str:
    with pytest.raises(StoreError) as raised, History(file) as history:
        history.delete_conversations(["abc"])
    return str(raised.value)


def test_a_locked_file_is_not_to_be_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "history.db"
    History(file).close()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    told = message(file)
    other.close()
    assert "locked; another program is using it" in told
    assert "move" not in told


def garbage(file: Path) -> None:
    file.write_bytes(b"no database at all" * 1000)


def newer(file: Path) -> None:
    with sqlite3.connect(file) as plain:
        plain.execute("PRAGMA user_version = 999")
    plain.close()


def folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (garbage, "move it away to begin a new one"),
        (newer, "use that version, or move"),
        (folder, "name another folder in REASONER_DATA_DIR"),
    ],
)
def test_a_file_of_no_use_is(tmp_path: Path, spoil: Callable[[Path], None], advice: str) -> None:
    file = tmp_path / "history.db"
    spoil(file)
    assert advice in message(file)


def test_a_full_and_a_read_only_disk() -> None:
    assert "room" in advice_for(OSError(errno.ENOSPC, "No space left on device"))
    assert "allow writing" in advice_for(OSError(errno.EROFS, "Read-only file system"))


def test_a_database_that_may_grow_no_more(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "full.db")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(sqlite3.Error) as full:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
    assert "room" in advice_for(full.value)
