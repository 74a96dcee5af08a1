"""What lies outside the sandbox: bait that is worth having, and eyes that see who touched it.

Every effect is taken from outside wherever there is an outside: secrets that turn up in the
output, files that changed, receivers that heard, processes that are still there, a clock.
"""

import contextlib
import os
import pty
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from tests.hostile.attack import Attack

__all__ = ["FLOOD", "Heard", "World", "running"]

FLOOD = 1 << 20
"""Characters of output that would be too much for whoever reads it."""
SLACK = 8.0
"""Seconds past its limit in which a verdict must be here on a busy machine."""

VICTIM = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)  # anybody may trace us
signal.signal(signal.SIGUSR1, lambda *_: print("struck", flush=True))
secret = ctypes.create_string_buffer(os.environ["VICTIM_CANARY"].encode())
key = os.open(sys.argv[1], os.O_RDONLY)
print(ctypes.addressof(secret), key, flush=True)
while True: signal.pause()
"""


@dataclass(frozen=True)
class Heard:
    """What came of one program: all it said, and how long it took; `ended` None if it did not."""

    output: str
    seconds: float
    ended: int | None
    readable: bool = True


class World:
    """Bait and eyes; `names` is what attacks know about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.key = self.home / ".ssh" / "id_rsa"
        self.token = "got" + secrets.token_hex(8)
        self._secrets = {name: f"{name}-{secrets.token_hex(8)}" for name in ("key", "list", "leak")}
        self._secrets |= {name: f"{name}-{secrets.token_hex(8)}" for name in ("env", "victim")}
        self._planted = [
            Path(place) / f"planted-{self.token}" for place in (tempfile.gettempdir(), "/dev/shm")
        ]
        self._struck = 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._listen()
        self._bait()
        (self.folder / "leak").write_text(self._secrets["leak"])
        leak = os.open(self.folder / "leak", os.O_RDONLY)
        os.set_inheritable(leak, True)
        self._stack.callback(os.close, leak)
        os.environ["HOST_CANARY"] = self._secrets["env"]
        self._stack.callback(os.environ.pop, "HOST_CANARY")
        before = signal.signal(signal.SIGUSR1, self._strike)
        self._stack.callback(signal.signal, signal.SIGUSR1, before)
        self._main, self._terminal = pty.openpty()
        tty.setraw(self._terminal)
        for descriptor in (self._main, self._terminal):
            self._stack.callback(os.close, descriptor)
        self._start_victim()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def program(self, attack: Attack, bulk: int) -> str:
        return attack.program(self._names | {"BULK": str(bulk)})

    def effects(self, attack: Attack, heard: Heard, marker: str) -> set[str]:
        """What the attack achieved; `marker` is in the command line of whatever it ran as."""
        said = heard.output
        passwd = Path("/etc/passwd").read_text().splitlines()[0]
        found = {
            "read": any(secret in said for secret in (*self._secrets.values(), passwd)),
            "said so": self.token in said,
            "flooded": len(said) > FLOOD,
            "escaped": any(not (c in "\n\t" or c.isprintable()) for c in said),
            "unreadable": not heard.readable,
            "late": heard.ended is None or heard.seconds > attack.seconds + SLACK,
            "wrote": self._changed(),
            "sent": self._received(),
            "struck": self._was_struck(),
            "left running": not soon(lambda: not running(marker)),
        }
        return {name for name, happened in found.items() if happened}

    def restore(self) -> None:
        """Lay the bait afresh; a victim that died is replaced."""
        for place in self._planted:
            place.unlink(missing_ok=True)
        shutil.rmtree(self.home, ignore_errors=True)
        self._bait()
        self._received()
        self._was_struck()
        if self._victim.poll() is not None:
            self._start_victim()

    def _bait(self) -> None:
        self.key.parent.mkdir(parents=True)
        self.key.write_text(self._secrets["key"])
        (self.home / self._secrets["list"]).touch()
        self._before = _state(self.home)

    def _listen(self) -> None:
        self._receivers = [socket.create_server(("0.0.0.0", 0))]
        for kind, address in (
            (socket.SOCK_STREAM, str(self.folder / "unix")),
            (socket.SOCK_DGRAM, str(self.folder / "unixgram")),
            (socket.SOCK_STREAM, f"\0{self.token}"),
        ):
            receiver = socket.socket(socket.AF_UNIX, kind)
            if sys.platform == "linux" or not address.startswith("\0"):
                receiver.bind(address)
                if kind == socket.SOCK_STREAM:
                    receiver.listen()
            self._receivers.append(receiver)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", 0))
        self._receivers.append(udp)
        for receiver in self._receivers:
            receiver.setblocking(False)
            self._stack.callback(receiver.close)

    def _start_victim(self) -> None:
        self._victim = victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(self.folder / "leak")],
            env=os.environ | {"VICTIM_CANARY": self._secrets["victim"]},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert victim.stdout is not None
        address, key = victim.stdout.readline().decode().split()
        os.set_blocking(victim.stdout.fileno(), False)
        self._stack.callback(_end, victim)
        self._names = {
            "NEKOT": self.token[::-1],
            "KEY": str(self.key),
            "HOME": str(self.home),
            "HOST": str(os.getpid()),
            "TCP": str(self._receivers[0].getsockname()[1]),
            "UDP": str(self._receivers[-1].getsockname()[1]),
            "LAN": _own_address(),
            "UNIX": str(self.folder / "unix"),
            "UNIXGRAM": str(self.folder / "unixgram"),
            "ABSTRACT": self.token,
            "VICTIM": str(victim.pid),
            "ADDRESS": address,
            "VICTIMKEY": key,
            "TTY": os.ttyname(self._terminal),
            "PLANT": str(self._planted[0]),
            "SHM": str(self._planted[1]),
        }

    def _strike(self, number: int, frame: FrameType | None) -> None:
        self._struck += 1

    def _was_struck(self) -> bool:
        """A signal arrived, the victim died or is being traced, or somebody typed at us."""
        assert self._victim.stdout is not None
        said = self._victim.stdout.read() or b""
        status = Path(f"/proc/{self._victim.pid}/status")
        traced = status.exists() and "TracerPid:\t0\n" not in status.read_text()
        typed = False
        while select.select([self._terminal], [], [], 0)[0]:
            typed = bool(os.read(self._terminal, 99))
        struck, self._struck = self._struck, 0
        dead = self._victim.poll() is not None
        return bool(struck) or b"struck" in said or traced or typed or dead

    def _changed(self) -> bool:
        planted = any(os.path.lexists(place) for place in self._planted)
        return planted or _state(self.home) != self._before

    def _received(self) -> bool:
        heard = False
        for receiver in self._receivers:
            with contextlib.suppress(OSError):
                while True:
                    if receiver.type == socket.SOCK_DGRAM:
                        receiver.recv(99)
                    else:
                        receiver.accept()[0].close()
                    heard = True
        return heard


def running(marker: str) -> list[str]:
    """The processes whose command line holds `marker`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in entry.read_bytes() and _lives(entry.parent):
                found.append(entry.parent.name)
    return found


def _lives(process: Path) -> bool:
    return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"


def soon(holds: Callable[[], bool], seconds: float = 2.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def _state(folder: Path) -> list[tuple[str, int, int, int]]:
    """Every name below a folder with its mode, size and time of change."""
    state = []
    for place in sorted(folder.rglob("*")):
        info = place.lstat()
        state.append((str(place), info.st_mode, info.st_size, info.st_mtime_ns))
    return state


def _own_address() -> str:
    """An address of this machine's that others can reach, else the loopback's second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
    return "127.0.0.2"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
