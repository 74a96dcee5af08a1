"""A batch's output file: the records that it has already, and appending of new ones.

A line is written in one piece, so a killed run leaves at most its last line incomplete; that line
is cut off when the file is opened again, and its item is answered again.
"""

import fcntl
import os
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from reasoner.batch.item import id_key
from reasoner.batch.record import RECORD_START
from reasoner.batch.rows import MAX_LINE_BYTES, parse_row
from reasoner.batch.tally import BatchTotals
from reasoner.errors import UsageError

__all__ = ["BatchOutput", "OutputRecord"]

LINE_START = RECORD_START.encode()


class OutputRecord(Protocol):
    """A record of one item."""

    def to_json(self) -> str:
        """Return the record as one line of JSON that starts with its id."""


class BatchOutput:
    """An open output file, locked against other processes. `key in ledger` says whether the file
    has a record of the item with that key. Raises UsageError for a file that is not a batch's
    output, which stays unchanged, and for one that cannot be written or is locked."""

    def __init__(self, path: Path) -> None:
        self.tally = BatchTotals()
        self._path = path
        self._done: set[bytes] = set()
        self._file = self._open()
        try:
            self._lock()
            self._load_records()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return _digest(key) in self._done

    def is_same_file(self, descriptor: int) -> bool:
        """Whether `descriptor` refers to this file."""
        return os.path.samestat(os.fstat(self._file.fileno()), os.fstat(descriptor))

    def append(self, record: OutputRecord) -> None:
        """Append a record. It has been passed to the kernel when this returns, so it survives the
        process being killed. Raises OSError."""
        data = f"{record.to_json()}\n".encode()
        while data:
            data = data[self._file.write(data) :]

    def _open(self) -> IO[bytes]:
        if self._path.exists() and not self._path.is_file():
            raise UsageError(f"{self._path} is no file that a batch could go on with")
        try:
            return self._path.open("ab", buffering=0)
        except OSError as error:
            raise UsageError(f"cannot write {self._path}: {error.strerror}") from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another batch is writing {self._path}; wait for it, or give another --out"
            ) from None

    def _load_records(self) -> None:
        """Count the complete records, then cut off an incomplete last line."""
        complete_bytes = 0
        with self._path.open("rb") as stream:
            while (line := stream.readline(4 * MAX_LINE_BYTES)).endswith(b"\n"):
                complete_bytes += len(line)
                self._add_line(line)
        if line and not (line.startswith(LINE_START) or LINE_START.startswith(line)):
            raise self._foreign("its last line")
        self._file.truncate(complete_bytes)

    def _add_line(self, line: bytes) -> None:
        try:
            row = parse_row(line)
            self.tally.add(row)
            self._done.add(_digest(id_key(row["id"])))
        except (KeyError, ValueError):
            raise self._foreign(f"line {self.tally.total + 1}") from None

    def _foreign(self, place: str) -> UsageError:
        return UsageError(
            f"{self._path} was not written by reasoner batch ({place}); give another --out"
        )


def _digest(key: str) -> bytes:
    """A few bytes in place of an id, so that the ids of large files fit into memory."""
    return blake2b(key.encode(), digest_size=12).digest()
