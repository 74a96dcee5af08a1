"""A pseudo-terminal with the command in it, driven as a person would."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli.command import COMMAND, environment

__all__ = ["Terminal"]

CURSOR_QUESTION, CURSOR_REPLY = b"\x1b[6n", b"\x1b[1;1R"


class Terminal:
    """Starts the command; `screen` is everything it wrote so far."""

    def __init__(
        self, home: Path, arguments: Sequence[str | Path], *, columns: int = 80, **extra: str
    ) -> None:
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.modes = termios.tcgetattr(self._slave)
        self.screen = b""
        self._process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=environment(home, **extra),
            preexec_fn=self._take_control,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, text: str, seconds: float = 40.0) -> str:
        """Wait until `text` appears after what was expected before; give what came up to it."""
        deadline = time.monotonic() + seconds
        wanted = text.encode()
        while wanted not in self.screen[self._seen :]:
            assert time.monotonic() < deadline, f"no {text!r} in {self.screen[self._seen :]!r}"
            assert self._read(0.1), f"ended before {text!r}: {self.screen!r}"
        end = self.screen.index(wanted, self._seen) + len(wanted)
        came, self._seen = self.screen[self._seen : end], end
        return came.decode(errors="replace")

    def wait(self, seconds: float = 40.0) -> int:
        """Read until the command has ended; give its exit status."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"still running: {self.screen!r}"
            self._read(0.1)
        while self._readable(0.0) and self._read(0.0):
            pass
        return self._process.returncode

    def hang_up(self) -> None:
        """Close the terminal, as a window that is closed does."""
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def returncode(self, seconds: float = 40.0) -> int:
        """Wait until the command has ended without reading; give its exit status."""
        return self._process.wait(seconds)

    def restored(self) -> bool:
        """Whether the terminal's modes are those from before."""
        return termios.tcgetattr(self._slave) == self.modes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._master >= 0:
            os.close(self._master)
            os.close(self._slave)

    _seen = 0

    def _take_control(self) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSCTTY, 0)

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._master], [], [], seconds)[0])

    def _read(self, seconds: float) -> bool:
        """Take what is there; False once the command has ended and nothing is left."""
        if self._readable(seconds):
            piece = os.read(self._master, 65536)
            self.screen += piece
            for _ in range(piece.count(CURSOR_QUESTION)):
                os.write(self._master, CURSOR_REPLY)
            return True
        return self._process.poll() is None
