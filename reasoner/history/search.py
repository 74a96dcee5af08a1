"""Search of the history for turns by their words."""

import sqlite3

from reasoner.errors import UsageError
from reasoner.history.records import SearchMatch
from reasoner.history.schema import has_index

__all__ = ["search_turns"]

MAX_WORDS = 32
EXCERPT_CHARACTERS = 160


def search_turns(connection: sqlite3.Connection, text: str, limit: int) -> list[SearchMatch]:
    """Up to `limit` turns that have all the words of `text` (or words with them as prefixes), the
    best matches first.

    Where this SQLite has no full-text search, every row is read, newest first, and words match
    anywhere in the text. Raises UsageError unless there are 1 to MAX_WORDS words.
    """
    words = [word for word in text.replace("\0", " ").split() if any(map(str.isalnum, word))]
    if not words or len(words) > MAX_WORDS:
        raise UsageError(f"give 1 to {MAX_WORDS} words to search for")
    query = _query_index if has_index(connection) else _scan_rows
    return [
        SearchMatch(conversation=cid, turn=turn, asked=asked, excerpt=_excerpt(text, words))
        for cid, turn, asked, text in query(connection, words, limit)
    ]


def _query_index(connection: sqlite3.Connection, words: list[str], limit: int) -> sqlite3.Cursor:
    query = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
    return connection.execute(
        "SELECT t.conversation, t.id, t.asked, t.question || char(10) || t.answer"
        " FROM turns_index JOIN turns t ON t.id = turns_index.rowid"
        " WHERE turns_index MATCH ? ORDER BY turns_index.rank, t.id DESC LIMIT ?",
        (query, limit),
    )


def _scan_rows(connection: sqlite3.Connection, words: list[str], limit: int) -> sqlite3.Cursor:
    text = "question || char(10) || answer"
    where = " AND ".join([f"instr(lower({text}), lower(?))"] * len(words))
    return connection.execute(
        f"SELECT conversation, id, asked, {text} FROM turns WHERE {where}"  # noqa: S608
        " ORDER BY id DESC LIMIT ?",
        (*words, limit),
    )


def _excerpt(text: str, words: list[str]) -> str:
    """The part of a text around the first occurrence of any of the words, on one line."""
    at = min((at for word in words if (at := text.lower().find(word.lower())) >= 0), default=0)
    begin = max(0, at - EXCERPT_CHARACTERS // 3)
    excerpt = " ".join(text[begin : begin + EXCERPT_CHARACTERS].split())
    end = begin + EXCERPT_CHARACTERS
    return ("…" if begin else "") + excerpt + ("…" if end < len(text) else "")
