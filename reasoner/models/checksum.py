"""SHA-256 of model files, computed once per file and remembered by size and modification time."""

import hashlib
import json
import os
from pathlib import Path

from reasoner.atomic_file import write_atomically
from reasoner.errors import ChecksumError, ModelError
from reasoner.settings import directories

__all__ = [
    "cached_checksum",
    "hash_file",
    "is_known_checksum",
    "model_checksum",
    "stamp_path",
    "store_checksum",
    "verify_checksum",
]


def model_checksum(path: Path) -> str:
    """The file's SHA-256 in hexadecimal: hashed the first time, read from its stamp afterwards.
    Raises ModelError when the file cannot be read."""
    path = path.resolve()
    if (known := _recall(path)) is not None:
        return known
    checksum = hash_file(path)
    store_checksum(path, checksum)
    return checksum


def hash_file(path: Path) -> str:
    """Hash the whole file, whether its checksum is remembered or not. Raises ModelError when the
    file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error


def cached_checksum(path: Path) -> str | None:
    """The file's SHA-256 if it was hashed before and has not changed since, else None."""
    return _recall(path.resolve())


def is_known_checksum(path: Path) -> bool:
    """Whether the file was hashed before and has not changed since."""
    return cached_checksum(path) is not None


def verify_checksum(path: Path, sha256: str | None, size: int | None = None) -> None:
    """Compare a file with the size in bytes and the SHA-256 that it should have; None accepts any.

    Raises ChecksumError when one differs, ModelError when the file cannot be read.
    """
    actual_size = path.stat().st_size
    if size is not None and actual_size != size:
        raise ChecksumError(f"{path.name} has {actual_size} bytes instead of {size}")
    if sha256 is None:
        return
    if (checksum := model_checksum(path)) != sha256:
        raise ChecksumError(f"{path.name} has SHA-256 {checksum[:12]}… instead of {sha256[:12]}…")


def stamp_path(path: Path) -> Path:
    """The file that remembers the checksum of the model file at `path`."""
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:24]
    return directories().models / ".verified" / f"{key}.json"


def store_checksum(path: Path, checksum: str) -> None:
    """Store a file's checksum. A failed write is ignored: the file is then hashed again."""
    stamp = stamp_path(path)
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(stamp, json.dumps({**_identity(path), "sha256": checksum}))
    except OSError:
        return


def _recall(path: Path) -> str | None:
    try:
        stamp = json.loads(stamp_path(path).read_text("utf-8"))
        checksum = stamp.pop("sha256")
        return str(checksum) if stamp == _identity(path) else None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None


def _identity(path: Path) -> dict[str, str | int]:
    stat = path.stat()
    return {"path": str(path.resolve()), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
