"""Disk caches: bytes under exact keys, shared by processes, of bounded size.

A cache never raises: an entry that cannot be read counts as absent, one that cannot be written is
not kept, and a damaged one is dropped. Stored bytes are untrusted input: no pickle is ever loaded,
and only bytes whose checksum is right are returned.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from reasoner.settings import Settings, directories

__all__ = ["CACHE_NAMES", "DiskCache", "open_disk_cache"]

T = TypeVar("T")

CACHE_NAMES = ("results", "verdicts", "prompts")
MEGABYTE = 10**6
MAX_BYTES = {"results": 200 * MEGABYTE, "verdicts": 50 * MEGABYTE}
"""The maximum size of each cache; a setting limits the prompts."""
BUSY_SECONDS = 10.0
CHECKSUM_BYTES = 16
MAX_ENTRY_DIVISOR = 2
"""An entry may take at most the cache's size divided by this."""


def open_disk_cache(name: str) -> "DiskCache":
    """Open the cache with this name, one of NAMES. Raises UsageError for bad settings."""
    limit = MAX_BYTES.get(name) or Settings.load().cache_size * MEGABYTE
    return DiskCache(directories().cache / name, limit)


class DiskCache:
    """A cache of at most `limit` bytes in total; the least recently used entries are evicted."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory, self.max_bytes = directory, limit
        self._cache: Any = None

    def get(self, key: bytes) -> bytes | None:
        """The value stored under `key`, or None."""
        entry = self._try(lambda cache: cache.get(key), None)
        if entry is None:
            return None
        if isinstance(entry, bytes):
            checksum, value = entry[:CHECKSUM_BYTES], entry[CHECKSUM_BYTES:]
            if checksum == _checksum(key, value):
                return value
        self.delete(key)
        return None

    def put(self, key: bytes, value: bytes) -> bool:
        """Store a value and return whether that succeeded."""
        if len(value) > self.max_bytes // MAX_ENTRY_DIVISOR:
            return False
        entry = _checksum(key, value) + value
        return bool(self._try(lambda cache: cache.set(key, entry), False))

    def delete(self, key: bytes) -> None:
        """Remove the value stored under `key`, if there is one."""
        self._try(lambda cache: cache.delete(key), False)

    def update(self, key: bytes, change: Callable[[bytes | None], bytes]) -> None:
        """Replace the value by `change(value)` in one transaction; None stands for no value."""

        def work(cache: Any) -> None:
            with cache.transact():
                self.put(key, change(self.get(key)))

        self._try(work, None)

    def usage(self) -> tuple[int, int]:
        """The number of entries and the bytes they take."""
        if not self.directory.exists():
            return 0, 0
        return self._try(lambda cache: (len(cache), int(cache.volume())), (0, 0))

    def clear(self) -> int:
        """Remove every entry and return how many there were."""
        count, _ = self.usage()
        self._erase()
        return count

    def _erase(self) -> None:
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def close(self) -> None:
        """Close the cache's file; the next access opens it again."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _try(self, work: Callable[[Any], T], otherwise: T) -> T:
        """Return `work(cache)`, or `otherwise` when the cache cannot be used."""
        from diskcache import Timeout

        try:
            return work(self._open())
        except sqlite3.OperationalError:  # disk full, not writable, or locked by another process
            return otherwise
        except sqlite3.DatabaseError:  # the file is damaged: start a new one
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
                size_limit=self.max_bytes,
                eviction_policy="least-recently-used",
                cull_limit=2,  # entries evicted for each that is put into a full cache
                sqlite_synchronous=0,  # a file damaged by a power cut is replaced
            )
        return self._cache


def _checksum(key: bytes, value: bytes) -> bytes:
    """A checksum of key and value, so that no value is returned for another key."""
    digest = hashlib.blake2b(key, digest_size=CHECKSUM_BYTES)
    digest.update(value)
    return digest.digest()


def _plain_disk() -> type[Any]:
    from diskcache import Disk
    from diskcache.core import MODE_BINARY, MODE_RAW

    class PlainDisk(Disk):  # type: ignore[misc]
        """Reads bytes only. diskcache itself would unpickle a row that is marked as a pickle."""

        def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:
            if mode not in (MODE_RAW, MODE_BINARY):
                raise ValueError("an entry that this program did not write")
            return super().fetch(mode, filename, value, read)

    return PlainDisk
