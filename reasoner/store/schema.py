"""The history's tables, as numbered migrations; `PRAGMA user_version` says how many were made."""

import sqlite3
from collections.abc import Callable

__all__ = ["MIGRATIONS", "current", "has_index", "migrate"]

TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    started TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    status TEXT NOT NULL,
    model TEXT NOT NULL,
    system TEXT,
    dropped INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL
);
CREATE INDEX turns_of ON turns (conversation, id);
"""
INDEX = """
CREATE VIRTUAL TABLE turns_index USING fts5 (
    question, answer, content = 'turns', content_rowid = 'id', tokenize = 'unicode61'
);
CREATE TRIGGER turns_added AFTER INSERT ON turns BEGIN
    INSERT INTO turns_index (rowid, question, answer) VALUES (new.id, new.question, new.answer);
END;
CREATE TRIGGER turns_removed AFTER DELETE ON turns BEGIN
    INSERT INTO turns_index (turns_index, rowid, question, answer)
    VALUES ('delete', old.id, old.question, old.answer);
END;
"""


def _tables(connection: sqlite3.Connection) -> None:
    _run(connection, TABLES)


def _index(connection: sqlite3.Connection) -> None:
    """Full-text search, where this SQLite was built with it."""
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone():
        _run(connection, INDEX)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_tables, _index)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, each step in a transaction of its own. The caller holds a lock
    that keeps other processes from doing the same. Raises ValueError for a newer program's file."""
    made = _made(connection)
    if made > len(MIGRATIONS):
        raise ValueError(f"it was written by a newer version (schema {made})")
    for number, migration in enumerate(MIGRATIONS[made:], made + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migration(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def current(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing to migrate."""
    return _made(connection) == len(MIGRATIONS)


def has_index(connection: sqlite3.Connection) -> bool:
    """Whether there is a full-text index."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'turns_index'")
    return found.fetchone() is not None


def _made(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(connection: sqlite3.Connection, script: str) -> None:
    """`executescript` would commit the transaction it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
