"""What the user can do about a history that cannot be used."""

import errno
import sqlite3

__all__ = ["advice_for"]

BUSY = "another program is using it; wait for that one to end"
FULL = "make room on its disk"
UNWRITABLE = "allow writing there, or name another folder in REASONER_DATA_DIR"
BROKEN = "move it away to begin a new one"
NEWER = "use that version, or move the file away to begin a new one"
OTHER = "see whether its disk is in order"
ADVICE_BY_CODE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: UNWRITABLE,
    sqlite3.SQLITE_PERM: UNWRITABLE,
    sqlite3.SQLITE_IOERR: OTHER,
    sqlite3.SQLITE_NOMEM: "free some memory",
}
ADVICE_BY_ERRNO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EIO: OTHER,
    errno.EMFILE: "close some files",
    errno.ENFILE: "close some files",
}
PRIMARY_CODE_MASK = 0xFF
"""SQLite's extended codes have the primary code in their lowest byte."""


def advice_for(error: Exception) -> str:
    """The advice that suits an error of SQLite, of the system, or about the file's contents.

    Only a file whose contents are of no use is to be moved away.
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return BROKEN if code is None else ADVICE_BY_CODE.get(code & PRIMARY_CODE_MASK, BROKEN)
    if isinstance(error, TimeoutError):  # the lock of another process
        return BUSY
    if isinstance(error, OSError):
        return ADVICE_BY_ERRNO.get(error.errno or 0, UNWRITABLE)
    return NEWER
