"""Free disk space, asked before a download and explained after a failed write."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reasoner.errors import ModelError

__all__ = ["check_space", "human_size", "writing"]

RESERVE = 64 * 1024 * 1024
"""Left free on the disk, so that a download does not leave the machine without any."""


def check_space(folder: Path, needed: int) -> None:
    """Raise ModelError unless `needed` bytes and a small reserve are free in `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVE:
        raise ModelError(
            f"{folder} has {human_size(free)} free, the download needs "
            f"{human_size(needed + RESERVE)}; free some space or set REASONER_CACHE_DIR"
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write below `folder` into one clear line."""
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


def human_size(size: int) -> str:
    """Bytes as people read them: 1.1 GB."""
    number = float(size)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
