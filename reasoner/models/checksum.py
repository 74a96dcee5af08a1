"""SHA-256 of model files, computed once per file and remembered by size and modification time."""

import hashlib
import json
import os
from pathlib import Path

from reasoner.errors import ChecksumError, ModelError
from reasoner.settings import directories

__all__ = [
    "digest",
    "known_checksum",
    "known_intact",
    "model_checksum",
    "remember",
    "stamp_path",
    "verify",
]


def model_checksum(path: Path) -> str:
    """The file's SHA-256 in hex; hashed on first sight, read from its stamp afterwards."""
    path = path.resolve()
    if (known := _recall(path)) is not None:
        return known
    checksum = digest(path)
    remember(path, checksum)
    return checksum


def digest(path: Path) -> str:
    """Hash the whole file, whatever is remembered."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error


def known_checksum(path: Path) -> str | None:
    """The file's SHA-256 if it was hashed before and has not been touched since."""
    return _recall(path.resolve())


def known_intact(path: Path) -> bool:
    """Whether the file was hashed before and has not been touched since."""
    return known_checksum(path) is not None


def verify(path: Path, sha256: str | None, size: int | None = None) -> None:
    """Raise ChecksumError unless the file has this size and hash; None accepts any."""
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise ChecksumError(f"{path.name} has {actual} bytes instead of {size}")
    if sha256 is None:
        return
    if (checksum := model_checksum(path)) != sha256:
        raise ChecksumError(f"{path.name} has SHA-256 {checksum[:12]}… instead of {sha256[:12]}…")


def stamp_path(path: Path) -> Path:
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:24]
    return directories().models / ".verified" / f"{key}.json"


def remember(path: Path, checksum: str) -> None:
    """Write the stamp; a cache that cannot be written costs time, nothing else."""
    stamp = stamp_path(path)
    draft = stamp.with_suffix(f".{os.getpid()}")
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({**_identity(path), "sha256": checksum}), "utf-8")
        draft.replace(stamp)
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
