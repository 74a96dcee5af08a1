"""Feeding one program, collecting its output, and stopping when it exceeds a limit."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import IO, Literal

from python_sandbox.cpu_time import cpu_seconds
from python_sandbox.folder import folder_exceeds

__all__ = [
    "CHECK_PERIOD_SECONDS",
    "MAX_DISK_BYTES",
    "MAX_FILES",
    "MAX_START_SECONDS",
    "MIN_BUSY_SHARE",
    "ExceededLimit",
    "OutputCollector",
]

MAX_OUTPUT_BYTES = 1 << 20
KEPT_END_BYTES = 64 << 10
MAX_DISK_BYTES = 64 << 20
MAX_FILES = 2000
CHECK_PERIOD_SECONDS = 0.1
MIN_BUSY_SHARE = 0.5
"""The share of its time that a program must have computed to be called endless."""
MAX_START_SECONDS = 2.5
"""Time a jail may take to start; below the plugin host's grace, so that it is reported here."""
ExceededLimit = Literal["timeout", "memory", "output", "disk"]


class OutputCollector:
    """The output of one process and the limit that it exceeded.

    `streams` holds the beginning and the end of each stream; `exceeded_limit` names the limit, None
    without one; `is_busy` tells whether a program that exceeded its time was computing. `box` is
    the directory whose size is limited, `memory` a number of bytes.
    """

    def __init__(self, box: str, pid: int, memory: int) -> None:
        self._box, self._pid, self._memory = box, pid, memory
        self._total_bytes = 0
        self._deadline = self._seconds = 0.0
        self.streams: dict[str, bytearray] = {}
        self.exceeded_limit: ExceededLimit | None = None
        self.is_busy = False

    def collect_output(
        self, order: bytes, sink: IO[bytes], sources: Mapping[str, IO[bytes] | int], seconds: float
    ) -> None:
        """Send `order` and close `sink`; read until every source closes or a limit is exceeded.

        The `seconds` of wall time start with the first byte of the source `say`, so that the time
        a busy machine takes to start a jail does not count as the program's.
        """
        self._deadline, self._seconds = time.monotonic() + MAX_START_SECONDS, seconds
        self.streams = {name: bytearray() for name in sources}
        os.set_blocking(sink.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(sink, selectors.EVENT_WRITE)
            for name, source in sources.items():
                selector.register(source, selectors.EVENT_READ, name)
            last_check = time.monotonic()
            while selector.get_map() and self.exceeded_limit is None:
                now = time.monotonic()
                if now >= self._deadline:
                    self.exceeded_limit = "timeout"
                    self.is_busy = cpu_seconds(self._pid) >= MIN_BUSY_SHARE * seconds
                    return
                for key, _ in selector.select(min(CHECK_PERIOD_SECONDS, self._deadline - now)):
                    if key.data is None:
                        order = order[_write(sink, order) :]
                        if not order:
                            selector.unregister(sink)
                            sink.close()
                    elif not self._receive(str(key.data), os.read(key.fd, 1 << 16)):
                        selector.unregister(key.fileobj)
                if now - last_check >= CHECK_PERIOD_SECONDS:
                    last_check = now
                    self._check_usage()

    def _receive(self, name: str, data: bytes) -> bool:
        """Store data of a stream; return False at its end."""
        if name == "say" and data and not self.streams[name]:
            self._deadline = time.monotonic() + self._seconds
        self._total_bytes += len(data)
        if self._total_bytes > MAX_OUTPUT_BYTES:
            self.exceeded_limit = "output"
        stream = self.streams[name]
        stream += data
        if len(stream) > 2 * KEPT_END_BYTES:  # keep the beginning and the end
            del stream[KEPT_END_BYTES:-KEPT_END_BYTES]
        return bool(data)

    def _check_usage(self) -> None:
        """Check what no kernel limit covers: the directory's size, and memory on macOS."""
        if folder_exceeds(self._box, MAX_DISK_BYTES, MAX_FILES):
            self.exceeded_limit = "disk"
        if sys.platform == "darwin" and _resident(self._pid) > self._memory:
            self.exceeded_limit = "memory"


def _write(sink: IO[bytes], data: bytes) -> int:
    try:
        return os.write(sink.fileno(), data)
    except OSError:  # it has ended; its output and exit code explain why
        return len(data)


def _resident(pid: int) -> int:
    """Return the resident bytes of a process, by `ps`."""
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    kibibytes = subprocess.run(command, capture_output=True, check=False).stdout.strip()
    return int(kibibytes) * 1024 if kibibytes.isdigit() else 0
