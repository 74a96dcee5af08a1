"""The history: every question asked and all that came of it, in one SQLite file.

Many processes may write at once: each write is one short transaction in WAL mode, so a process
that is killed loses at most the turn it was about to write.
"""

import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reasoner.errors import StoreError, UsageError
from reasoner.problem import Problem
from reasoner.result import Result
from reasoner.store import schema
from reasoner.store.record import Conversation, Found, Turn
from reasoner.store.search import search

__all__ = ["History", "new_id"]

BUSY_SECONDS = 30.0
"""How long a write waits for other processes' writes."""
CONVERSATIONS = """
    SELECT last.conversation AS id, last.asked AS updated, last.model, last.status, talk.turns,
        first.question
    FROM (
        SELECT min(id) AS first, max(id) AS last, count(*) AS turns
        FROM turns WHERE NOT dropped GROUP BY conversation
    ) talk
    JOIN turns first ON first.id = talk.first
    JOIN turns last ON last.id = talk.last
    ORDER BY last.id DESC LIMIT ?
"""


def new_id() -> str:
    """A conversation's name: 12 random hexadecimal digits."""
    return secrets.token_hex(6)


class History:
    """An open history file. Every method raises StoreError when the file cannot be used.

    Opening makes the file, readable by its owner alone, and brings its tables up to date.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._guarded():
            self._connection = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._guarded():
            self._connection.close()

    # -- writing ---------------------------------------------------------------------------

    def add(self, conversation: str, problem: Problem, result: Result) -> int:
        """Record a turn; its id. The conversation begins with its first turn."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._writing():
            self._run("INSERT OR IGNORE INTO conversations VALUES (?, ?)", conversation, now)
            added = self._run(
                "INSERT INTO turns (conversation, asked, question, answer, status, model, system,"
                " result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                conversation,
                now,
                _text(result.question),
                _text(result.answer),
                result.status.value,
                result.model,
                None if problem.system is None else _text(problem.system),
                _text(result.model_dump_json(exclude={"question", "answer"})),
            )
        assert added.lastrowid is not None
        return added.lastrowid

    def drop(self, turn: int) -> None:
        """Take a turn out of the talk; it stays in the record."""
        with self._writing():
            self._run("UPDATE turns SET dropped = 1 WHERE id = ?", turn)

    def fork(self, conversation: str) -> str:
        """Copy a talk as it stands into a new conversation; its id."""
        fork = new_id()
        columns = "asked, question, answer, status, model, system, result"
        with self._writing():
            self._run(
                "INSERT INTO conversations SELECT ?, started FROM conversations WHERE id = ?",
                fork,
                conversation,
            )
            self._run(
                f"INSERT INTO turns (conversation, {columns}) SELECT ?, {columns} FROM turns"  # noqa: S608
                " WHERE conversation = ? AND NOT dropped ORDER BY id",
                fork,
                conversation,
            )
        return fork

    def remove(self, conversations: list[str]) -> None:
        """Delete conversations; their text is overwritten in the file."""
        with self._writing():
            for conversation in conversations:
                self._run("DELETE FROM turns WHERE conversation = ?", conversation)
                self._run("DELETE FROM conversations WHERE id = ?", conversation)
        with self._guarded():
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- reading ---------------------------------------------------------------------------

    def find(self, prefix: str | None) -> str:
        """The conversation whose id begins so, or the last one that was added to. Raises
        UsageError when there is none, or more than one."""
        if prefix is None:
            last = self._all("SELECT conversation FROM turns ORDER BY id DESC LIMIT 1")
            if not last:
                raise UsageError("there is no conversation yet; reasoner ask begins one")
            return str(last[0][0])
        if not re.fullmatch("[0-9a-f]{1,12}", prefix):
            raise UsageError(f"no conversation '{prefix[:40]}' (reasoner history list)")
        rows = self._all("SELECT id FROM conversations WHERE id LIKE ? LIMIT 5", f"{prefix}%")
        found = [str(row[0]) for row in rows]
        if len(found) > 1 and prefix not in found:
            raise UsageError(f"'{prefix}' begins several conversations: {', '.join(found)}")
        if not found:
            raise UsageError(f"no conversation '{prefix}' (reasoner history list)")
        return prefix if prefix in found else found[0]

    def turns(self, conversation: str, *, dropped: bool = False) -> list[Turn]:
        """A conversation's turns, oldest first; those that were undone only when asked for."""
        rows = self._all(
            "SELECT id, asked, question, answer, status, model, system, dropped, result FROM turns"
            " WHERE conversation = ? AND dropped <= ? ORDER BY id",
            conversation,
            int(dropped),
        )
        return [_turn(row) for row in rows]

    def ids(self) -> list[str]:
        """Every conversation, oldest first."""
        rows = self._all("SELECT id FROM conversations ORDER BY started, id")
        return [str(row[0]) for row in rows]

    def conversations(self, limit: int) -> list[Conversation]:
        """The conversations last added to, newest first."""
        return [_conversation(row) for row in self._all(CONVERSATIONS, limit)]

    def search(self, text: str, limit: int) -> list[Found]:
        """Turns with all the words of `text`, the best first. Raises UsageError without words."""
        with self._guarded():
            return search(self._connection, text, limit)

    # -- the file --------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # its -wal and -shm follow it
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            if not schema.current(connection):
                self._migrate(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Switching to WAL mode does not wait for others, hence a lock beside the file."""
        from filelock import FileLock

        lock = self.path.with_name(f"{self.path.name}.lock")
        with FileLock(lock, timeout=BUSY_SECONDS, mode=0o600):
            connection.execute("PRAGMA journal_mode = WAL")
            schema.migrate(connection)

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _all(self, statement: str, *values: object) -> list[Any]:
        with self._guarded():
            return self._run(statement, *values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._guarded():
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._run("ROLLBACK")
                raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StoreError(
                f"the history {self.path} cannot be used: {error}; move it away to begin a new one"
            ) from error


def _text(text: str) -> str:
    """SQLite takes no lone surrogates."""
    return text.encode(errors="replace").decode()


def _turn(row: sqlite3.Row) -> Turn:
    fields = dict(row)
    result = _result(row["question"], row["answer"], fields.pop("result"))
    return Turn(**fields, result=result)


def _result(question: str, answer: str, text: str) -> Result | None:
    try:
        return Result.model_validate({**json.loads(text), "question": question, "answer": answer})
    except (ValueError, TypeError, RecursionError):
        return None


def _conversation(row: sqlite3.Row) -> Conversation:
    fields = dict(row)
    lines = [line.strip() for line in fields.pop("question").splitlines() if line.strip()]
    return Conversation(**fields, title=lines[0] if lines else "")
