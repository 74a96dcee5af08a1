"""Watching one program: feed it, hear it, and stop listening when it goes over a limit."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import IO, Literal

__all__ = ["Over", "Watch"]

MAX_OUTPUT = 1 << 20
KEEP = 64 << 10
MAX_DISK = 64 << 20
MAX_FILES = 2000
PERIOD = 0.1
STARTING = 2.5
"""Seconds a jail may take to begin; under the plugin host's grace, so that we speak first."""
Over = Literal["timeout", "memory", "output", "disk"]


class Watch:
    """What one process wrote, in `kept` (the beginning and the end of each stream), and which
    limit it went `over`."""

    def __init__(self, box: str, pid: int, memory: int) -> None:
        self._box, self._pid, self._memory = box, pid, memory
        self._seen = 0
        self._end = self._seconds = 0.0
        self.kept: dict[str, bytearray] = {}
        self.over: Over | None = None

    def run(
        self, order: bytes, sink: IO[bytes], sources: Mapping[str, IO[bytes] | int], seconds: float
    ) -> None:
        """Send `order` and close `sink`; read until every source closes or a limit is passed.

        The `seconds` of wall time are the program's: they count from the source `say`'s first
        byte. A busy machine that is slow to start a jail shall not look like a slow program.
        """
        self._end, self._seconds = time.monotonic() + STARTING, seconds
        self.kept = {name: bytearray() for name in sources}
        os.set_blocking(sink.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(sink, selectors.EVENT_WRITE)
            for name, source in sources.items():
                selector.register(source, selectors.EVENT_READ, name)
            looked = time.monotonic()
            while selector.get_map() and self.over is None:
                now = time.monotonic()
                if now >= self._end:
                    self.over = "timeout"
                    return
                for key, _ in selector.select(min(PERIOD, self._end - now)):
                    if key.data is None:
                        order = order[_sent(sink, order) :]
                        if not order:
                            selector.unregister(sink)
                            sink.close()
                    elif not self._hear(str(key.data), os.read(key.fd, 1 << 16)):
                        selector.unregister(key.fileobj)
                if now - looked >= PERIOD:
                    looked = now
                    self._look()

    def _hear(self, name: str, data: bytes) -> bool:
        """Keep what came; False at its end."""
        if name == "say" and data and not self.kept[name]:
            self._end = time.monotonic() + self._seconds
        self._seen += len(data)
        if self._seen > MAX_OUTPUT:
            self.over = "output"
        kept = self.kept[name]
        kept += data
        if len(kept) > 2 * KEEP:  # the beginning and the end are what people look at
            del kept[KEEP:-KEEP]
        return bool(data)

    def _look(self) -> None:
        """What no limit of the kernel's covers: the directory's size, and memory on macOS."""
        if _too_much_disk(self._box):
            self.over = "disk"
        if sys.platform == "darwin" and _resident(self._pid) > self._memory:
            self.over = "memory"


def _sent(sink: IO[bytes], data: bytes) -> int:
    try:
        return os.write(sink.fileno(), data)
    except OSError:  # it is gone; what it said and how it ended tell more
        return len(data)


def _too_much_disk(box: str) -> bool:
    size = count = 0
    for folder, folders, files in os.walk(box):
        count += len(folders) + len(files)
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
        if size > MAX_DISK or count > MAX_FILES:
            return True
    return False


def _resident(pid: int) -> int:
    """Resident bytes of a process, by `ps`."""
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, check=False).stdout.strip()
    return int(told) * 1024 if told.isdigit() else 0
