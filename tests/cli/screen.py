"""What a terminal shows of what was written to it: enough of one for our own output."""

import os
import pty
import re
import struct
import sys
import termios
import threading
from collections.abc import Callable
from fcntl import ioctl

import pytest

__all__ = ["rendered", "written_at_a_terminal"]

TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(\r\n|\r|\n)|([^\x1b\r\n])")


def rendered(written: str, columns: int) -> list[str]:
    """The rows of the screen without the empty ones at its end; styles are left out."""
    rows, row, column = [""], 0, 0
    for match in TOKEN.finditer(written):
        number, command, line_end, character = match.groups()
        if command == "A":
            row -= int(number or 1)
        elif command == "J":
            rows = [*rows[:row], rows[row][:column]]
        elif command is not None:
            assert command == "m", f"unexpected control sequence {match[0]!r}"
        elif line_end is not None:
            row, column = row + ("\n" in line_end), 0 if "\r" in line_end else column
        else:
            row, column = (row + 1, 0) if column == columns else (row, column)
            rows += [""] * (row + 1 - len(rows))
            rows[row] = rows[row][:column].ljust(column) + character + rows[row][column + 1 :]
            column += 1
        rows += [""] * (row + 1 - len(rows))
    while rows and not rows[-1]:
        rows.pop()
    return rows


def written_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[], None], columns: int, rows: int = 40
) -> str:
    """What `write` writes to stdout and stderr when both are one terminal of that size."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    pieces: list[bytes] = []
    reader = threading.Thread(target=_read, args=(master, pieces))
    reader.start()
    with os.fdopen(slave, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        write()
    reader.join()
    os.close(master)
    return b"".join(pieces).decode()


def _read(descriptor: int, pieces: list[bytes]) -> None:
    try:
        while piece := os.read(descriptor, 4096):
            pieces.append(piece)
    except OSError:  # the other end is closed
        return
