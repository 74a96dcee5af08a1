"""The history: every question with its result, in one SQLite file.

Several processes may write at once: each write is one short transaction in WAL mode, so a process
that is killed loses at most the turn that it was about to write.
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
from reasoner.history import schema
from reasoner.history.advice import advice_for
from reasoner.history.records import ConversationSummary, HistoryTurn, SearchMatch
from reasoner.history.search import search_turns
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["History", "new_conversation_id"]

BUSY_SECONDS = 30.0
"""How long a write waits for other processes' writes."""
CONVERSATIONS_QUERY = """
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


def new_conversation_id() -> str:
    """A new conversation's id: 12 random hexadecimal digits."""
    return secrets.token_hex(6)


class History:
    """An open history file.

    Opening creates the file, readable by its owner only, and brings its tables up to date. The
    constructor and every method raise StoreError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._store_errors():
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
        """Close the file."""
        with self._store_errors():
            self._connection.close()

    # -- writing ---------------------------------------------------------------------------

    def add_turn(self, conversation: str, problem: Problem, result: Result) -> int:
        """Record a turn and return its id. The first turn creates the conversation."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._transaction():
            self._execute("INSERT OR IGNORE INTO conversations VALUES (?, ?)", conversation, now)
            cursor = self._execute(
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
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def drop_turn(self, turn: int) -> None:
        """Mark a turn as dropped: it leaves the conversation and stays in the history."""
        with self._transaction():
            self._execute("UPDATE turns SET dropped = 1 WHERE id = ?", turn)

    def fork_conversation(self, conversation: str) -> str:
        """Copy the conversation's turns, without dropped ones, into a new one; return its id."""
        fork = new_conversation_id()
        columns = "asked, question, answer, status, model, system, result"
        with self._transaction():
            self._execute(
                "INSERT INTO conversations SELECT ?, started FROM conversations WHERE id = ?",
                fork,
                conversation,
            )
            self._execute(
                f"INSERT INTO turns (conversation, {columns}) SELECT ?, {columns} FROM turns"  # noqa: S608
                " WHERE conversation = ? AND NOT dropped ORDER BY id",
                fork,
                conversation,
            )
        return fork

    def delete_conversations(self, conversations: list[str]) -> None:
        """Delete conversations and overwrite their text in the file."""
        with self._transaction():
            for conversation in conversations:
                self._execute("DELETE FROM turns WHERE conversation = ?", conversation)
                self._execute("DELETE FROM conversations WHERE id = ?", conversation)
        with self._store_errors():
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- reading ---------------------------------------------------------------------------

    def find_conversation(self, prefix: str | None) -> str:
        """The id of the conversation whose id starts with `prefix`, or, for None, of the one that
        was added to last. Raises UsageError when there is none, or more than one."""
        if prefix is None:
            last = self._fetch_all("SELECT conversation FROM turns ORDER BY id DESC LIMIT 1")
            if not last:
                raise UsageError("there is no conversation yet; reasoner ask begins one")
            return str(last[0][0])
        if not re.fullmatch("[0-9a-f]{1,12}", prefix):
            raise UsageError(f"no conversation '{prefix[:40]}' (reasoner history list)")
        rows = self._fetch_all("SELECT id FROM conversations WHERE id LIKE ? LIMIT 5", f"{prefix}%")
        matches = [str(row[0]) for row in rows]
        if len(matches) > 1 and prefix not in matches:
            raise UsageError(f"'{prefix}' begins several conversations: {', '.join(matches)}")
        if not matches:
            raise UsageError(f"no conversation '{prefix}' (reasoner history list)")
        return prefix if prefix in matches else matches[0]

    def turns(self, conversation: str, *, include_dropped: bool = False) -> list[HistoryTurn]:
        """A conversation's turns, oldest first; `include_dropped` includes the dropped ones."""
        rows = self._fetch_all(
            "SELECT id, asked, question, answer, status, model, system, dropped, result FROM turns"
            " WHERE conversation = ? AND dropped <= ? ORDER BY id",
            conversation,
            int(include_dropped),
        )
        return [_parse_turn(row) for row in rows]

    def conversation_ids(self) -> list[str]:
        """The ids of all conversations, oldest first."""
        rows = self._fetch_all("SELECT id FROM conversations ORDER BY started, id")
        return [str(row[0]) for row in rows]

    def conversations(self, limit: int) -> list[ConversationSummary]:
        """Up to `limit` conversations, those added to last first."""
        return [_parse_conversation(row) for row in self._fetch_all(CONVERSATIONS_QUERY, limit)]

    def search_turns(self, text: str, limit: int) -> list[SearchMatch]:
        """Up to `limit` turns that have all the words of `text`, the best matches first. Raises
        UsageError when `text` has no words, or too many."""
        with self._store_errors():
            return search_turns(self._connection, text, limit)

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
            if not schema.is_current(connection):
                self._migrate(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the tables up to date, under a lock beside the file, because switching to WAL mode
        does not wait for other processes."""
        from filelock import FileLock

        lock = self.path.with_name(f"{self.path.name}.lock")
        with FileLock(lock, timeout=BUSY_SECONDS, mode=0o600):
            connection.execute("PRAGMA journal_mode = WAL")
            schema.migrate(connection)

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _fetch_all(self, statement: str, *values: object) -> list[Any]:
        with self._store_errors():
            return self._execute(statement, *values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._store_errors():
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
                self._execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._execute("ROLLBACK")
                raise

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StoreError(
                f"the history {self.path} cannot be used: {error}; {advice_for(error)}"
            ) from error


def _text(text: str) -> str:
    """The text with lone surrogates, which SQLite refuses, replaced."""
    return text.encode(errors="replace").decode()


def _parse_turn(row: sqlite3.Row) -> HistoryTurn:
    fields = dict(row)
    result = _parse_result(row["question"], row["answer"], fields.pop("result"))
    return HistoryTurn(**fields, result=result)


def _parse_result(question: str, answer: str, text: str) -> Result | None:
    try:
        return Result.model_validate({**json.loads(text), "question": question, "answer": answer})
    except (ValueError, TypeError, RecursionError):
        return None


def _parse_conversation(row: sqlite3.Row) -> ConversationSummary:
    fields = dict(row)
    lines = [line.strip() for line in fields.pop("question").splitlines() if line.strip()]
    return ConversationSummary(**fields, title=lines[0] if lines else "")
