"""Temporary directories that are removed however this process ends.

They lie in one directory per user, which nobody else can enter: in `XDG_RUNTIME_DIR`, or else in
the directory for temporary files. Below it, each process has a root folder, on which it holds a
lock while it runs. A process that needs its first directory removes the root folders without a
lock, which belonged to processes that were killed.

What a program leaves may be nested deeply, unreadable, or have any name. Nothing here raises
because of it: what cannot be removed is reported once.
"""

import atexit
import contextlib
import fcntl
import logging
import os
import secrets
import stat
import tempfile
import threading
import time
from pathlib import Path

__all__ = ["PREFIX", "create_temporary_folder", "folder_exceeds", "remove_folder"]

PREFIX = "run-"
MIN_STALE_SECONDS = 60.0
"""The age below which a root folder may not be locked yet by the process that created it."""
MAX_REMOVALS = 200_000
"""Entries that are removed from one directory; a program makes far fewer before it is stopped."""
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_lock = threading.Lock()
_root: list[tuple[int, str]] = []
"""The process that created the root folder, and its path."""
_reported = threading.Event()


def create_temporary_folder() -> str:
    """Create an empty directory for one jail and return its path."""
    with _lock:
        if not _root or _root[0][0] != os.getpid() or not os.path.isdir(_root[0][1]):
            _root[:] = [(os.getpid(), _create_root())]
        return tempfile.mkdtemp(dir=_root[0][1])


def remove_folder(folder: str) -> bool:
    """Remove a directory and everything in it; return whether it is gone.

    Directories are moved to the top before they are emptied, so that neither depth nor the length
    of a path matters, and their modes are restored. A failure is reported once per process.
    """
    try:
        _empty_folder(folder)
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        if not _reported.is_set():
            _reported.set()
            logging.getLogger(__name__).warning("%s could not be removed: %s", folder, error)
        return False
    return True


def folder_exceeds(folder: str, max_bytes: int, max_entries: int) -> bool:
    """Return whether a directory holds more than that, or what cannot be looked at.

    It holds nothing where the program has a file system of its own, which the kernel limits.
    """
    size = count = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if size > max_bytes or count > max_entries:
                        return True
        except FileNotFoundError:  # the program removed it in the meantime
            continue
        except OSError:  # hidden, or deeper than a path may be long
            return True
    return False


def _empty_folder(folder: str) -> None:
    top = os.open(folder, _FOLDER_FLAGS)
    try:
        for _ in range(MAX_REMOVALS):
            with os.scandir(top) as entries:
                entry = next(entries, None)
                name, is_folder = (
                    (entry.name, entry.is_dir(follow_symlinks=False)) if entry else ("", False)
                )
            if not name:
                return
            if is_folder:
                _remove_subfolder(top, name)
            else:
                os.unlink(name, dir_fd=top)
    finally:
        os.close(top)


def _remove_subfolder(top: int, name: str) -> None:
    """Remove the files in a directory, move its directories up to `top`, and remove it."""
    os.chmod(name, stat.S_IRWXU, dir_fd=top)
    below = os.open(name, _FOLDER_FLAGS, dir_fd=top)
    try:
        with os.scandir(below) as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for inner, is_folder in names:
            if is_folder:
                os.chmod(inner, stat.S_IRWXU, dir_fd=below)
                os.rename(inner, secrets.token_hex(12), src_dir_fd=below, dst_dir_fd=top)
            else:
                os.unlink(inner, dir_fd=below)
    finally:
        os.close(below)
    os.rmdir(name, dir_fd=top)


def _create_root() -> str:
    home = _users_folder()
    _remove_stale_roots(home)
    for _ in range(3):  # another process may remove the empty directory of the user just now
        with contextlib.suppress(FileNotFoundError):
            folder = tempfile.mkdtemp(prefix=PREFIX, dir=home)
            break
        home = _users_folder()
    # held until this process ends
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX)
    atexit.register(_remove_root, os.getpid(), folder)
    return folder


def _users_folder() -> str:
    """Return a directory that belongs to this user alone; a new one where somebody else took the
    name."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [os.path.join(runtime, "reasoner")] if _is_ours(runtime) else []
    places.append(os.path.join(tempfile.gettempdir(), f"reasoner-{os.geteuid()}"))
    for place in places:
        with contextlib.suppress(OSError):
            os.mkdir(place, stat.S_IRWXU)
        if _is_ours(place) and os.access(place, os.W_OK):
            return place
    return tempfile.mkdtemp(prefix=f"reasoner-{os.geteuid()}-")


def _is_ours(folder: str) -> bool:
    """Return whether a path is a directory, no link, of this user, that others cannot enter."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    is_private = not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and is_private


def _remove_root(pid: int, folder: str) -> None:
    if pid == os.getpid():  # a forked process must not remove it
        remove_folder(folder)
        with contextlib.suppress(OSError):  # others still use it
            os.rmdir(os.path.dirname(folder))


def _remove_stale_roots(home: str) -> None:
    for folder in Path(home).glob(f"{PREFIX}*"):
        try:
            is_new = time.time() - folder.lstat().st_mtime < MIN_STALE_SECONDS
            if is_new or not _is_ours(str(folder)):
                continue
            descriptor = os.open(folder, _FOLDER_FLAGS)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(str(folder))
        except OSError:
            continue  # its owner still runs
        finally:
            os.close(descriptor)
