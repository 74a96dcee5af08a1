"""Finding turns by their words."""

import sqlite3

from reasoner.errors import UsageError
from reasoner.store.record import Found
from reasoner.store.schema import has_index

__all__ = ["search"]

MOST_WORDS = 32
EXCERPT = 160
"""Characters shown of what was found."""


def search(connection: sqlite3.Connection, text: str, limit: int) -> list[Found]:
    """Turns with all the words of `text` (or words that begin so), the best first.

    Where this SQLite has no full-text search every row is read, newest first, and a word is
    found anywhere.
    """
    words = [word for word in text.replace("\0", " ").split() if any(map(str.isalnum, word))]
    if not words or len(words) > MOST_WORDS:
        raise UsageError(f"give 1 to {MOST_WORDS} words to search for")
    find = _indexed if has_index(connection) else _scanned
    return [
        Found(conversation=cid, turn=turn, asked=asked, excerpt=_excerpt(said, words))
        for cid, turn, asked, said in find(connection, words, limit)
    ]


def _indexed(connection: sqlite3.Connection, words: list[str], limit: int) -> sqlite3.Cursor:
    query = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
    return connection.execute(
        "SELECT t.conversation, t.id, t.asked, t.question || char(10) || t.answer"
        " FROM turns_index JOIN turns t ON t.id = turns_index.rowid"
        " WHERE turns_index MATCH ? ORDER BY turns_index.rank, t.id DESC LIMIT ?",
        (query, limit),
    )


def _scanned(connection: sqlite3.Connection, words: list[str], limit: int) -> sqlite3.Cursor:
    said = "question || char(10) || answer"
    where = " AND ".join([f"instr(lower({said}), lower(?))"] * len(words))
    return connection.execute(
        f"SELECT conversation, id, asked, {said} FROM turns WHERE {where}"  # noqa: S608
        " ORDER BY id DESC LIMIT ?",
        (*words, limit),
    )


def _excerpt(said: str, words: list[str]) -> str:
    """The part of a text around the first of the words that is in it, on one line."""
    at = min((at for word in words if (at := said.lower().find(word.lower())) >= 0), default=0)
    begin = max(0, at - EXCERPT // 3)
    part = " ".join(said[begin : begin + EXCERPT].split())
    return ("…" if begin else "") + part + ("…" if begin + EXCERPT < len(said) else "")
