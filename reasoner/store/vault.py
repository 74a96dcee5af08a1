"""Bytes under exact keys, on disk, shared by processes, of bounded size.

A cache is never worth an error: what cannot be read is absent, what cannot be written is not kept,
and a damaged entry is dropped. What is read back is hostile input: no pickle is ever loaded, and
only bytes whose checksum holds are given out.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from reasoner.settings import directories

__all__ = ["NAMES", "Vault", "open_vault"]

T = TypeVar("T")

NAMES = ("results", "verdicts", "prompts")
MEGABYTE = 10**6
LIMITS = {"results": 200 * MEGABYTE, "verdicts": 50 * MEGABYTE}
"""The most bytes of each; of prompts, a setting says."""
BUSY_SECONDS = 10.0
CHECKSUM = 16
LARGEST_SHARE = 2
"""No entry may take more than one part in so many of the whole."""


def open_vault(name: str) -> "Vault":
    """One of the caches by its name."""
    from reasoner.settings import Settings

    limit = LIMITS.get(name) or Settings.load().cache_size * MEGABYTE
    return Vault(directories().cache / name, limit)


class Vault:
    """Values of at most `limit` bytes together; the least recently used go first."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory, self.limit = directory, limit
        self._cache: Any = None

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, as it was put there, or None."""
        found = self._try(lambda cache: cache.get(key), None)
        if found is None:
            return None
        if isinstance(found, bytes) and found[:CHECKSUM] == _checksum(key, found[CHECKSUM:]):
            return found[CHECKSUM:]
        self.drop(key)
        return None

    def put(self, key: bytes, value: bytes) -> bool:
        """Keep a value; whether that could be done."""
        if len(value) > self.limit // LARGEST_SHARE:
            return False
        framed = _checksum(key, value) + value
        return bool(self._try(lambda cache: cache.set(key, framed), False))

    def drop(self, key: bytes) -> None:
        self._try(lambda cache: cache.delete(key), False)

    def update(self, key: bytes, change: Callable[[bytes | None], bytes]) -> None:
        """Replace a value by what `change` makes of it, with no other process in between."""

        def work(cache: Any) -> None:
            with cache.transact():
                self.put(key, change(self.get(key)))

        self._try(work, None)

    def measure(self) -> tuple[int, int]:
        """How many entries there are, and the bytes they take."""
        if not self.directory.exists():
            return 0, 0
        return self._try(lambda cache: (len(cache), int(cache.volume())), (0, 0))

    def clear(self) -> int:
        """Remove everything; how many entries there were."""
        count, _ = self.measure()
        self._erase()
        return count

    def _erase(self) -> None:
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def close(self) -> None:
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _try(self, work: Callable[[Any], T], otherwise: T) -> T:
        from diskcache import Timeout

        try:
            return work(self._open())
        except sqlite3.OperationalError:  # no room, no right to write, somebody else's lock
            return otherwise
        except sqlite3.DatabaseError:  # not a database any more: begin a new one
            self._erase()
            return otherwise
        except (OSError, ValueError, TypeError, Timeout):
            return otherwise

    def _open(self) -> Any:
        if self._cache is None:
            from diskcache import Cache

            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._cache = Cache(
                str(self.directory),
                timeout=BUSY_SECONDS,
                disk=_plain_disk(),
                size_limit=self.limit,
                eviction_policy="least-recently-used",
                cull_limit=2,  # entries given up for each that is put into a full cache
                sqlite_synchronous=0,  # what a power cut damages is begun anew
            )
        return self._cache


def _checksum(key: bytes, value: bytes) -> bytes:
    """Over the key, too, so that no value can stand under another's."""
    digest = hashlib.blake2b(key, digest_size=CHECKSUM)
    digest.update(value)
    return digest.digest()


def _plain_disk() -> type[Any]:
    from diskcache import Disk
    from diskcache.core import MODE_BINARY, MODE_RAW

    class PlainDisk(Disk):  # type: ignore[misc]
        """Reads bytes only. diskcache itself would unpickle what a row calls a pickle."""

        def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:
            if mode not in (MODE_RAW, MODE_BINARY):
                raise ValueError("an entry that this program did not write")
            return super().fetch(mode, filename, value, read)

    return PlainDisk
