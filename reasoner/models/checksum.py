"""SHA-256 of models, computed once and remembered by the size and modification time of each part.

The checksum of a split model is that of its parts one after the other, as `cat` would join them.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from reasoner.atomic_file import write_atomically
from reasoner.errors import ChecksumError, ModelError
from reasoner.models.shards import existing_parts, model_size
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
    """The model's SHA-256 in hexadecimal: hashed the first time, read from its stamp afterwards.
    Raises ModelError when a file cannot be read."""
    if (known := _recall(path)) is not None:
        return known
    checksum = hash_file(*existing_parts(path))
    store_checksum(path, checksum)
    return checksum


def hash_file(*paths: Path) -> str:
    """Hash a whole file, or several as if they were joined, whether their checksum is remembered or
    not. Raises ModelError when one cannot be read."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
    return digest.hexdigest()


def cached_checksum(path: Path) -> str | None:
    """The model's SHA-256 if it was hashed before and has not changed since, else None."""
    return _recall(path)


def is_known_checksum(path: Path) -> bool:
    """Whether the model was hashed before and has not changed since."""
    return cached_checksum(path) is not None


def verify_checksum(path: Path, sha256: str | None, size: int | None = None) -> None:
    """Compare a model with the size in bytes and the SHA-256 that it should have; None accepts any.

    Raises ChecksumError when one differs, ModelError when the file cannot be read.
    """
    actual_size = model_size(path)
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
    """Store a model's checksum. A failed write is ignored: the model is then hashed again."""
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


def _identity(path: Path) -> dict[str, Any]:
    stat = path.stat()
    own = {"path": str(path.resolve()), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    parts = existing_parts(path)
    return own | ({"parts": [_stamp(part) for part in parts]} if len(parts) > 1 else {})


def _stamp(part: Path) -> list[str | int]:
    stat = part.stat()
    return [str(part.resolve()), stat.st_size, stat.st_mtime_ns]
