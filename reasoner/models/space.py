"""Free disk space: checked before a download, and explained when a write fails."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reasoner.errors import ModelError

__all__ = ["check_disk_space", "format_bytes", "write_errors"]

RESERVED_BYTES = 64 * 1024 * 1024
"""Disk space that a download must leave free."""


def check_disk_space(folder: Path, needed: int) -> None:
    """Check that `needed` bytes and a small reserve are free where `folder` is. Raises ModelError
    when they are not."""
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVED_BYTES:
        raise ModelError(
            f"{folder} has {format_bytes(free)} free, the download needs "
            f"{format_bytes(needed + RESERVED_BYTES)}; free some space or set REASONER_CACHE_DIR"
        )


@contextmanager
def write_errors(folder: Path) -> Iterator[None]:
    """Translate the OSErrors of writes below `folder`. Raises ModelError in place of them, with one
    line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise ModelError(
                f"the disk is full while writing to {folder}; free some space and run the same "
                "command again: it resumes"
            ) from error
        raise ModelError(
            f"cannot write to {folder}: {error.strerror or error}; set REASONER_CACHE_DIR to a "
            "directory that can be written"
        ) from error


def format_bytes(size: int) -> str:
    """A number of bytes in decimal units, such as `1.1 GB`."""
    number = float(size)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
