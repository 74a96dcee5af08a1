"""Throw-away directories, and nothing of them left behind, however this process ends.

They live in one folder that the process holds a lock on while it lives. The next process that
needs one removes the folders nobody holds any more: those of processes that were killed.
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

__all__ = ["PREFIX", "discard", "make"]

PREFIX = "reasoner-run-"
SETTLED = 60.0
"""Seconds after which a folder has been locked by whoever made it."""

_lock = threading.Lock()
_root: list[tuple[int, str]] = []
"""The process that made the folder, and the folder."""


def make() -> str:
    """A new empty directory for one jail."""
    with _lock:
        if not _root or _root[0][0] != os.getpid():
            _root[:] = [(os.getpid(), _claim())]
        return tempfile.mkdtemp(dir=_root[0][1])


def discard(folder: str) -> None:
    """Remove a directory and whatever a program put there."""
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(folder):  # nested too deeply for Python
        subprocess.run(["rm", "-rf", folder], check=False, stderr=subprocess.DEVNULL)


def _claim() -> str:
    _sweep()
    folder = tempfile.mkdtemp(prefix=PREFIX)
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX)  # until we end
    atexit.register(_leave, os.getpid(), folder)
    return folder


def _leave(pid: int, folder: str) -> None:
    if pid == os.getpid():  # and not a fork of it
        discard(folder)


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < SETTLED:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            discard(str(folder))
        except OSError:
            continue  # its owner lives
        finally:
            os.close(descriptor)
