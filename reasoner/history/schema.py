"""The history's tables, as numbered migrations; `PRAGMA user_version` counts those applied."""

import sqlite3
from collections.abc import Callable

__all__ = ["MIGRATIONS", "has_index", "is_current", "migrate"]

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


def _create_tables(connection: sqlite3.Connection) -> None:
    _run_script(connection, TABLES)


def _create_index(connection: sqlite3.Connection) -> None:
    """Add full-text search, where this SQLite was built with it."""
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone():
        _run_script(connection, INDEX)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create_tables, _create_index)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, each migration in a transaction of its own. The caller holds a
    lock against other processes. Raises ValueError for a file of a newer version of the program."""
    applied = _applied_count(connection)
    if applied > len(MIGRATIONS):
        raise ValueError(f"it was written by a newer version (schema {applied})")
    for number, migration in enumerate(MIGRATIONS[applied:], applied + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migration(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether every migration has been applied."""
    return _applied_count(connection) == len(MIGRATIONS)


def has_index(connection: sqlite3.Connection) -> bool:
    """Whether the file has a full-text index."""
    rows = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'turns_index'")
    return rows.fetchone() is not None


def _applied_count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    """Run statements one by one, since `executescript` would commit the open transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
