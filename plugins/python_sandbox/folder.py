"""Temporary directories that are removed however this process ends.

They are created in one root folder, on which the process holds a lock while it runs. A process
that needs its first directory removes the root folders without a lock, which belonged to
processes that were killed.
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

__all__ = ["PREFIX", "create_temporary_folder", "remove_folder"]

PREFIX = "reasoner-run-"
MIN_STALE_SECONDS = 60.0
"""The age below which a root folder may not be locked yet by the process that created it."""

_lock = threading.Lock()
_root: list[tuple[int, str]] = []
"""The process that created the root folder, and its path."""


def create_temporary_folder() -> str:
    """Create an empty directory for one jail and return its path."""
    with _lock:
        if not _root or _root[0][0] != os.getpid():
            _root[:] = [(os.getpid(), _create_root())]
        return tempfile.mkdtemp(dir=_root[0][1])


def remove_folder(folder: str) -> None:
    """Remove a directory and everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(folder):  # nested too deeply for Python
        subprocess.run(["rm", "-rf", folder], check=False, stderr=subprocess.DEVNULL)


def _create_root() -> str:
    _remove_stale_roots()
    folder = tempfile.mkdtemp(prefix=PREFIX)
    fcntl.flock(
        os.open(folder, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX
    )  # until this process ends
    atexit.register(_remove_root, os.getpid(), folder)
    return folder


def _remove_root(pid: int, folder: str) -> None:
    if pid == os.getpid():  # a forked process must not remove it
        remove_folder(folder)


def _remove_stale_roots() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < MIN_STALE_SECONDS:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(str(folder))
        except OSError:
            continue  # its owner still runs
        finally:
            os.close(descriptor)
